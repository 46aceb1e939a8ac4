//! The rules of parts.

use layer_tl_types::{functions, types};

use super::{Session, Stage, bytes, document, send, the_document, two, upload};
use crate::world::Config;
use crate::world::ids::PeerId;

/// Saves a part of a file, of which so many are to come; nothing is said of a small one.
fn save(
    stage: &mut Stage,
    me: Session,
    id: i64,
    part: i32,
    total: Option<i32>,
    size: usize,
) -> String {
    let bytes = vec![7; size];
    match total {
        None => stage.refused(
            me,
            &functions::upload::SaveFilePart {
                file_id: id,
                file_part: part,
                bytes,
            },
        ),
        Some(total) => stage.refused(
            me,
            &functions::upload::SaveBigFilePart {
                file_id: id,
                file_part: part,
                file_total_parts: total,
                bytes,
            },
        ),
    }
}

/// Sends what was saved to oneself; the error, or the size of the document.
fn finish(
    stage: &mut Stage,
    me: Session,
    id: i64,
    parts: i32,
    big: bool,
    md5: &str,
) -> Result<i64, String> {
    let name = String::new();
    let file = if big {
        types::InputFileBig { id, parts, name }.into()
    } else {
        types::InputFile {
            id,
            parts,
            name,
            md5_checksum: md5.to_owned(),
        }
        .into()
    };
    let media = send(stage, me, PeerId::User(me.user), document(file))?;
    Ok(the_document(&media).size)
}

#[test]
fn a_part_has_a_number_and_a_size() {
    let (mut stage, ann, _) = two();
    for total in [None, Some(4000)] {
        let mut save = |part, size| save(&mut stage, ann, 5, part, total, size);
        assert_eq!(save(-1, 1024), "FILE_PART_INVALID");
        assert_eq!(save(4000, 1024), "FILE_PART_INVALID");
        assert_eq!(save(0, 0), "FILE_PART_EMPTY");
        assert_eq!(save(0, 524_289), "FILE_PART_TOO_BIG");
        assert_eq!(save(0, 524_288), "no error");
    }
    for total in [0, -2, 4001, i32::MIN, i32::MAX] {
        assert_eq!(
            save(&mut stage, ann, 6, 0, Some(total), 1024),
            "FILE_PARTS_INVALID"
        );
    }
    assert_eq!(
        save(&mut stage, ann, 6, 3, Some(3), 1024),
        "FILE_PARTS_INVALID"
    );
}

#[test]
fn who_pays_may_send_twice_as_many_parts() {
    let (mut stage, ann, bob) = two();
    stage.world.users.get_mut(&bob.user).unwrap().premium = true;
    for (who, most) in [(ann, 4000), (bob, 8000)] {
        assert_eq!(save(&mut stage, who, 5, most - 1, None, 1024), "no error");
        assert_eq!(
            save(&mut stage, who, 5, most, None, 1024),
            "FILE_PART_INVALID"
        );
        assert_eq!(save(&mut stage, who, 6, 0, Some(most), 1024), "no error");
        assert_eq!(
            save(&mut stage, who, 6, 0, Some(most + 1), 1024),
            "FILE_PARTS_INVALID"
        );
        let named = finish(&mut stage, who, 5, most + 1, false, "");
        assert_eq!(named.unwrap_err(), "FILE_PARTS_INVALID");
        assert_eq!(
            finish(&mut stage, who, 5, most, false, "").unwrap_err(),
            "FILE_PART_0_MISSING"
        );
    }
}

#[test]
fn all_parts_but_the_last_are_of_one_size_that_divides_half_a_mebibyte() {
    let (mut stage, ann, _) = two();
    let mut save = |id, part, total, size| save(&mut stage, ann, id, part, total, size);
    // It is known which is the last.
    assert_eq!(save(1, 0, Some(3), 1000), "FILE_PART_SIZE_INVALID");
    assert_eq!(save(1, 0, Some(3), 3072), "FILE_PART_SIZE_INVALID");
    assert_eq!(save(1, 0, Some(3), 2048), "no error");
    assert_eq!(save(1, 1, Some(3), 1024), "FILE_PART_SIZE_CHANGED");
    assert_eq!(save(1, 2, Some(3), 4096), "FILE_PART_SIZE_CHANGED");
    assert_eq!(save(1, 2, Some(3), 77), "no error");
    assert_eq!(save(1, 1, Some(3), 2048), "no error");
    // It is not, until another one comes behind it.
    for total in [None, Some(-1)] {
        assert_eq!(save(2, 0, total, 1024), "no error");
        assert_eq!(save(2, 1, total, 100), "no error");
        assert_eq!(save(2, 2, total, 1024), "FILE_PART_SIZE_CHANGED");
        assert_eq!(
            save(2, 1, total, 1024),
            "no error",
            "the part comes once more, as it should"
        );
        assert_eq!(save(2, 2, total, 2048), "FILE_PART_SIZE_CHANGED");
        assert_eq!(save(2, 2, total, 1024), "no error");
        assert_eq!(save(2, 0, total, 1000), "FILE_PART_SIZE_INVALID");
        assert_eq!(save(2, 0, total, 512), "FILE_PART_SIZE_INVALID");
    }
    // In any order.
    assert_eq!(save(3, 2, None, 10), "no error");
    assert_eq!(save(3, 0, None, 1024), "no error");
    assert_eq!(save(3, 1, None, 2048), "FILE_PART_SIZE_CHANGED");
}

#[test]
fn a_stream_says_at_its_end_how_many_parts_it_had() {
    let (mut stage, ann, _) = two();
    for part in 0..3 {
        assert_eq!(save(&mut stage, ann, 5, part, Some(-1), 1024), "no error");
    }
    assert_eq!(save(&mut stage, ann, 5, 3, Some(4), 10), "no error");
    assert_eq!(
        finish(&mut stage, ann, 5, 3, true, "").unwrap_err(),
        "FILE_PARTS_INVALID"
    );
    assert_eq!(
        finish(&mut stage, ann, 5, 4, true, "").unwrap(),
        3 * 1024 + 10
    );
    // It can be sent to others, until a part begins another file.
    assert_eq!(
        finish(&mut stage, ann, 5, 4, true, "").unwrap(),
        3 * 1024 + 10
    );
    assert_eq!(save(&mut stage, ann, 5, 1, Some(-1), 1024), "no error");
    assert_eq!(
        finish(&mut stage, ann, 5, 2, true, "").unwrap_err(),
        "FILE_PART_0_MISSING"
    );
}

#[test]
fn what_is_missing_is_named_and_can_be_saved_again() {
    let (mut stage, ann, bob) = two();
    for part in [0, 1, 3] {
        save(&mut stage, ann, 5, part, None, 1024);
    }
    assert_eq!(
        finish(&mut stage, ann, 5, 4, false, "").unwrap_err(),
        "FILE_PART_2_MISSING"
    );
    // Neither the parts of somebody else, nor those of the other kind, nor those of another data centre.
    save(&mut stage, bob, 5, 2, None, 1024);
    save(&mut stage, ann, 5, 2, Some(4), 1024);
    stage
        .world
        .save_part(
            ann.user,
            1,
            crate::world::files::Part {
                file_id: 5,
                number: 2,
                total: None,
                bytes: &[0; 1024],
            },
        )
        .unwrap();
    assert_eq!(
        finish(&mut stage, ann, 5, 4, false, "").unwrap_err(),
        "FILE_PART_2_MISSING"
    );
    save(&mut stage, ann, 5, 2, None, 1024);
    for parts in [0, -1, i32::MAX] {
        let named = finish(&mut stage, ann, 5, parts, false, "");
        assert_eq!(named.unwrap_err(), "FILE_PARTS_INVALID");
    }
    assert_eq!(finish(&mut stage, ann, 5, 4, false, "").unwrap(), 4096);
}

#[test]
fn a_part_that_a_fault_loses_is_missing_at_the_end() {
    let (mut stage, ann, _) = two();
    save(&mut stage, ann, 5, 0, Some(2), 1024);
    stage.world.bend.file.loses_part = true;
    assert_eq!(save(&mut stage, ann, 5, 1, Some(2), 1024), "no error");
    stage.world.bend.file.loses_part = false;
    assert_eq!(
        finish(&mut stage, ann, 5, 2, true, "").unwrap_err(),
        "FILE_PART_1_MISSING"
    );
}

#[test]
fn a_small_file_is_small_and_its_checksum_is_right() {
    let (mut stage, ann, bob) = two();
    let data = bytes(5000);
    let file = upload(&mut stage, ann, &data, 1024, false);
    let layer_tl_types::enums::InputFile::File(mut file) = file else {
        panic!("small")
    };
    let right = std::mem::replace(&mut file.md5_checksum, "00".to_owned());
    let mut sent = |file: &types::InputFile| {
        send(
            &mut stage,
            ann,
            PeerId::User(bob.user),
            document(file.clone().into()),
        )
    };
    assert_eq!(sent(&file).unwrap_err(), "MD5_CHECKSUM_INVALID");
    // The parts are still there.
    file.md5_checksum = right.to_uppercase();
    assert_eq!(the_document(&sent(&file).unwrap()).size, 5000);
    // More than ten megabytes are for upload.saveBigFilePart.
    for (id, parts) in [(6, 20), (7, 21)] {
        for part in 0..parts {
            save(&mut stage, ann, id, part, None, 512 * 1024);
        }
        let named = finish(&mut stage, ann, id, parts, false, "");
        match parts {
            20 => assert_eq!(named.unwrap(), 10 * 1024 * 1024),
            _ => assert_eq!(named.unwrap_err(), "FILE_PARTS_INVALID"),
        }
    }
}

#[test]
fn parts_are_forgotten_when_they_are_old_or_when_a_test_says_so() {
    let (mut stage, ann, _) = two();
    for wait in [3599, 3601] {
        save(&mut stage, ann, 5, 0, None, 1024);
        stage.now += wait;
        let named = finish(&mut stage, ann, 5, 1, false, "");
        assert_eq!(named.is_ok(), wait < 3600, "{named:?}");
    }
    assert_eq!(stage.world.files.bytes(), 1024);
    save(&mut stage, ann, 5, 0, None, 1024);
    stage.world.forget_uploads();
    assert_eq!(
        finish(&mut stage, ann, 5, 1, false, "").unwrap_err(),
        "FILE_PART_0_MISSING"
    );
}

#[test]
fn abandoned_uploads_make_room_for_new_ones() {
    let mut stage = Stage::new(Config {
        file_bytes_limit: 4096,
        ..Config::default()
    });
    let ann = stage.person("Anna");
    for file_id in 0..100 {
        assert_eq!(save(&mut stage, ann, file_id, 0, None, 1024), "no error");
        assert!(stage.world.files.bytes() <= 4096);
    }
    assert_eq!(save(&mut stage, ann, 100, 0, None, 8192), "STORAGE_FULL");
    // Ever so many parts of one byte cost what it takes to keep them.
    for part in 0..4 {
        assert_eq!(save(&mut stage, ann, 101, part * 2, None, 1024), "no error");
    }
    assert_eq!(save(&mut stage, ann, 101, 9, None, 1), "STORAGE_FULL");
}

#[test]
fn what_is_refused_leaves_nothing_behind() {
    let (mut stage, ann, _) = two();
    for file_id in 0..100 {
        let refused = save(&mut stage, ann, file_id, 0, Some(3), 1000);
        assert_eq!(refused, "FILE_PART_SIZE_INVALID");
    }
    assert_eq!(stage.world.files.upload_count(), 0);
    let file = upload(&mut stage, ann, &bytes(2000), 1024, false);
    let layer_tl_types::enums::InputMedia::UploadedDocument(mut media) = document(file) else {
        panic!("a document")
    };
    media.mime_type = "x".repeat(5000);
    let sent = send(&mut stage, ann, PeerId::User(ann.user), (*media).into());
    assert_eq!(sent.unwrap_err(), "MEDIA_INVALID");
}

#[test]
fn a_large_file_needs_no_more_memory_than_is_allowed() {
    let mut stage = Stage::new(Config {
        file_memory: 1024 * 1024,
        ..Config::default()
    });
    let ann = stage.person("Anna");
    let data = bytes(9_000_000);
    let file = upload(&mut stage, ann, &data, 512 * 1024, true);
    assert!(stage.world.files.in_memory() <= 1024 * 1024);
    let sent = send(&mut stage, ann, PeerId::User(ann.user), document(file)).unwrap();
    assert!(stage.world.files.in_memory() <= 1024 * 1024);
    let location = super::location(&the_document(&sent));
    assert!(super::read(&mut stage, ann, &location, 1024 * 1024) == data);
    assert!(super::read(&mut stage, ann, &location, 4096 * 4) == data);
}
