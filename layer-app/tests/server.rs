//! Against a server of the test's own: the whole sign-in, every command, sessions in files.

#![allow(clippy::unwrap_used)] // a test is allowed to fail

mod support;

use layer_test_server::NewUser;
use support::{PHONE, Place, Program, id, script, text};

#[tokio::test(flavor = "multi_thread")]
async fn signing_up_takes_its_answers_from_the_script() {
    let place = Place::new().await;
    let lines = format!("{PHONE}\n22222\nMary\nShelley\nwhoami\n");
    let out = script(&place.args(&[]), &lines).await.succeeded();
    assert!(out.contains("Signed in as Mary Shelley."), "{out}");
    assert!(out.contains("phone     +15550001"), "{out}");
    assert!(place.server.user_by_phone(PHONE).is_some());

    let run = script(&place.args(&[]), &format!("{PHONE}\n")).await;
    assert!(run.failure().contains("no answer to: The code"), "{run:?}");
    let run = script(&place.args(&[]), &format!("{PHONE}\n11111\n")).await;
    assert!(run.failure().contains("code"), "{run:?}");
    let run = script(&place.args(&[]), "what\n").await;
    assert!(run.failure().contains("international form"), "{run:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_two_factor_password_is_taken_from_the_script() {
    let place = Place::new().await;
    let mut ada = NewUser::named(PHONE, "Ada");
    ada.password = Some("difference engine".into());
    place.server.add_user(ada);
    let args = place.args(&["--phone", PHONE]);
    let lines = "22222\ndifference engine\nwhoami\n";
    let out = script(&args, lines).await.succeeded();
    assert!(out.contains("Signed in as Ada."), "{out}");
    assert!(!out.contains("difference"), "{out}");
    let run = script(&args, "22222\nanalytical engine\nwhoami\n").await;
    assert!(run.failure().contains("password"), "{run:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bot_signs_in_by_its_token_and_answers() {
    let place = Place::new().await;
    let ada = place.ada();
    let bot = place.server.add_bot(&ada, "Kettle", "kettle_bot");
    let mut app = Program::start(&place.args(&["--bot-token", bot.token()]));
    app.until("Signed in as Kettle").await;
    ada.send_message(bot.peer(), "is it boiling?").unwrap();
    let question = app.until("Ada: is it boiling?").await;
    let to = ada.id().to_string();
    app.ask(&format!("reply {to} {} not yet", id(&question)), "not yet")
        .await;
    app.end().await.succeeded();
    assert_eq!(ada.messages(bot.peer()).last().unwrap().text, "not yet");

    let run = script(&place.args(&["--bot-token", "1:nonsense"]), "").await;
    assert!(run.failure().contains("@BotFather"), "{run:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_are_written_changed_found_and_deleted() {
    let place = Place::new().await;
    let (ada, grace) = (place.ada(), place.grace());
    let mut app = place.as_ada().await;
    let stored = || -> Vec<String> {
        let messages = grace.messages(ada.peer());
        messages.into_iter().map(|message| message.text).collect()
    };

    let first = id(&app.ask("send @grace the first", "you: the first").await);
    app.ask("send @grace two\\nlines", "you: two").await;
    assert_eq!(stored(), ["the first", "two\nlines"]);
    let edit = format!("edit @grace {first} the very first");
    app.ask(&edit, "the very first  (edited)").await;
    assert_eq!(stored()[0], "the very first");
    app.ask(&format!("reply +15550002 {first} indeed"), "you: indeed")
        .await;
    let forwarded = app
        .ask(&format!("forward @grace {first} me"), "the very first")
        .await;
    assert_ne!(id(&forwarded), first);
    app.ask("history me", "the very first").await;
    app.ask("search @grace lines", "you: two").await;
    app.ask("search @grace nothing like that", "no messages")
        .await;
    app.ask(&format!("delete @grace {first}"), "deleted").await;
    assert_eq!(stored(), ["two\nlines", "indeed"]);

    grace.send_message(ada.peer(), "well, well").unwrap();
    app.until("Grace: well, well").await;
    app.ask("dialogs", "1 unread").await;
    app.ask("read @grace", "read").await;
    app.ask("dialogs", "well, well").await;
    app.ask("resolve t.me/grace", "User Grace (@grace), id")
        .await;
    app.ask("whoami", "phone     +15550001").await;
    app.ask("raw help.getNearestDc", "nearestDc").await;
    app.until("this_dc: 1").await;
    app.say("raw contacts.resolveUsername username:\"grace\"")
        .await;
    app.until("first_name: \"Grace\"").await;
    let run = {
        app.say("raw users.getUsers id:[(inputUser user_id:1 access_hash:2)]")
            .await;
        app.say("raw account.updateUsername username:\"!\"").await;
        app.end().await
    };
    assert!(run.failure().contains("USERNAME_INVALID"), "{run:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_do_is_printed_as_it_happens() {
    let place = Place::new().await;
    let (ada, grace) = (place.ada(), place.grace());
    let mut app = place.as_ada().await;
    let group = grace.create_group("Compilers", &[&ada]).unwrap();
    app.until("Compilers").await;
    let said = grace.send_message(group, "anybody here?").unwrap();
    app.until("Grace: anybody here?").await;
    grace.edit_message(group, said, "anyone here?").unwrap();
    app.until("Grace: anyone here?").await;
    grace.delete_messages(group, &[said]).unwrap();
    app.until("« deleted: ").await;
    app.end().await.succeeded();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_connection_is_told_of_and_that_it_is_back() {
    let place = Place::new().await;
    place.ada();
    let mut app = place.as_ada().await;
    // The prompt is there.
    app.ask("me", "Ada").await;
    place.server.drop_connections();
    app.until("« connection lost, trying again in ").await;
    app.until("« online again").await;
    app.end().await.succeeded();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_comes_back_as_it_went() {
    let place = Place::new().await;
    place.ada();
    let mut random = fastrand::Rng::with_seed(3);
    let bytes: Vec<u8> = (0..1_000_003).map(|_| random.u8(..)).collect();
    let (there, back) = (place.path("a file.bin"), place.path("back.bin"));
    std::fs::write(&there, &bytes).unwrap();
    let mut app = place.as_ada().await;
    let upload = format!("upload me \"{}\" for later", text(&there));
    let sent = app.ask(&upload, "[a file.bin, ").await;
    assert!(sent.ends_with("for later"), "{sent}");
    let download = format!("download me {} {}", id(&sent), text(&back));
    app.ask(&download, "saved as ").await;
    assert_eq!(std::fs::read(&back).unwrap(), bytes);
    app.ask("send me no file", "you: no file").await;
    app.say(&format!("download me {}", id(&sent) + 1)).await;
    let run = app.end().await;
    assert!(
        run.failure().contains("this message has no file"),
        "{run:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_run_goes_on_with_the_session_of_the_first() {
    let place = Place::new().await;
    place.ada();
    let session = text(&place.path("ada.session"));
    let args = place.args(&["--session", &session]);
    script(&args, &format!("{PHONE}\n22222\n"))
        .await
        .succeeded();
    assert_eq!(place.server.key_count(), 1);

    // No phone number and no code; the first line is a command.
    let out = script(&args, "send me again\n").await.succeeded();
    assert!(out.contains("Signed in as Ada."), "{out}");
    assert_eq!(place.server.key_count(), 1);

    // One program at a time, and the other is told which one.
    let mut first = Program::start(&args);
    first.until("Signed in as Ada").await;
    let run = script(&args, "whoami\n").await;
    let line = run.failure();
    assert!(line.contains(&first.pid().to_string()), "{line}");
    assert!(line.contains("ada.session"), "{line}");
    first.ask("logout", "signed out").await;
    first.end().await.succeeded();

    // Signed out is signed out.
    let run = script(&args, "").await;
    assert!(
        run.failure().contains("no answer to: Phone number"),
        "{run:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_lives_on_another_data_centre_is_followed() {
    let mut place = Place::new().await;
    place.ada();
    place.begin_at(2);
    let session = text(&place.path("ada.session"));
    let args = place.args(&["--session", &session]);
    let lines =
        format!("{PHONE}\n22222\nsend @echo hello\nwait 20 Echo: hello\nraw help.getNearestDc\n");
    let out = script(&args, &lines).await.succeeded();
    assert!(out.contains("this_dc: 1"), "{out}");
    // The session knows where it belongs, though the options still name the other one.
    let out = script(&args, "raw help.getNearestDc\n").await.succeeded();
    assert!(out.contains("this_dc: 1"), "{out}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_transport_carries_a_conversation() {
    let place = Place::new().await;
    place.ada();
    for transport in ["abridged", "intermediate", "padded", "full"] {
        for more in [&[][..], &["--obfuscated"]] {
            let mut args = place.args(&["--phone", PHONE, "--transport", transport]);
            args.extend(more);
            let lines = format!("22222\nsend @echo {transport}\nwait 20 Echo: {transport}\n");
            script(&args, &lines).await.succeeded();
        }
    }
    let certificate = place.path("certificate.pem");
    std::fs::write(&certificate, place.server.tls_certificate_pem()).unwrap();
    let certificate = text(&certificate);
    for (transport, more) in [("ws", &[][..]), ("wss", &["--certificate", &certificate])] {
        let mut args = place.args(&["--phone", PHONE, "--transport", transport]);
        args.extend(more);
        let lines = format!("22222\nsend @echo {transport}\nwait 20 Echo: {transport}\n");
        script(&args, &lines).await.succeeded();
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_is_an_error_soon() {
    let place = Place::new().await;
    let key = text(&place.path("server.pem"));
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap().to_string();
    drop(free);
    let run = script(&["--server", &address, "--rsa-key", &key], "").await;
    assert!(run.failure().contains(&address), "{run:?}");
    let run = script(&["--server", "127.0.0.1", "--rsa-key", &key], "").await;
    assert!(run.failure().contains("is no address, such as"), "{run:?}");
    let run = script(&["--server", &address, "--rsa-key", "nothing.pem"], "").await;
    assert!(run.failure().contains("cannot read the RSA key"), "{run:?}");
}

#[cfg(unix)]
#[tokio::test]
async fn ctrl_c_ends_a_script_that_waits_for_its_next_line() {
    let mut app = Program::start(&[]);
    app.ask("whoami", "Ada Lovelace").await;
    let killed = tokio::process::Command::new("kill")
        .args(["-INT", &app.pid().to_string()])
        .status()
        .await;
    assert!(killed.unwrap().success());
    let run = app.wait().await;
    assert_eq!(run.failure(), "interrupted");
}
