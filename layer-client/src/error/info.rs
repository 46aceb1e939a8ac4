//! What is known of Telegram's errors: the table that `data/errors.tsv` holds, as Rust.
//!
//! The table and the [names](super::names) are made from the data file by a test of this module,
//! which fails when they differ. After a change of the data file, make them anew:
//!
//! ```text
//! LAYER_WRITE_ERRORS=1 cargo test -p layer-client --lib error::info
//! ```

use super::table::TABLE;

/// What is known of one of Telegram's errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ErrorInfo {
    name: &'static str,
    codes: &'static [i32],
    methods: &'static str,
    description: &'static str,
    advice: &'static str,
}

impl ErrorInfo {
    pub(super) const fn new(
        name: &'static str,
        codes: &'static [i32],
        methods: &'static str,
        description: &'static str,
        advice: &'static str,
    ) -> Self {
        Self {
            name,
            codes,
            methods,
            description,
            advice,
        }
    }

    /// Its name, without the number that it may hold: `FLOOD_WAIT`, `FILE_PART_MISSING`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The codes that it comes with.
    #[must_use]
    pub fn codes(&self) -> &'static [i32] {
        self.codes
    }

    /// The methods that it is documented for, as the schema names them; none when any may answer
    /// with it.
    pub fn methods(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.methods.split(' ').filter(|method| !method.is_empty())
    }

    /// What has happened, as the part of a sentence.
    #[must_use]
    pub fn description(&self) -> &'static str {
        self.description
    }

    /// What to do about it, when that is always the same. ([`RpcError::advice`] knows how long a
    /// wait is, and where a move goes.)
    ///
    /// [`RpcError::advice`]: super::RpcError::advice
    #[must_use]
    pub fn advice(&self) -> Option<&'static str> {
        Some(self.advice).filter(|advice| !advice.is_empty())
    }
}

/// What is known of the error of this name (`PEER_ID_INVALID`).
#[must_use]
pub fn error_info(name: &str) -> Option<&'static ErrorInfo> {
    let at = TABLE.binary_search_by(|info| info.name.cmp(name)).ok()?;
    TABLE.get(at)
}

/// All errors that are known, by name.
pub fn known_errors() -> impl ExactSizeIterator<Item = &'static ErrorInfo> {
    TABLE.iter()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::fmt::Write as _;
    use std::path::Path;
    use std::{env, fs};

    use super::super::{RpcError, Terminal};
    use super::*;

    const NOTE: &str = "// Made from data/errors.tsv; see `error::info`.\n";

    fn crate_file(path: &str) -> String {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// The lines of the data file, each in its five parts.
    fn data() -> Vec<[String; 5]> {
        let text = crate_file("data/errors.tsv");
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        lines
            .map(|line| {
                let parts: Vec<_> = line.split('\t').map(str::to_owned).collect();
                parts.try_into().unwrap_or_else(|_| panic!("{line}"))
            })
            .collect()
    }

    fn table() -> String {
        let mut text = NOTE.to_owned();
        let lines = data();
        let _ = write!(
            text,
            "\nuse super::info::ErrorInfo;\n\npub(super) static TABLE: [ErrorInfo; {}] = [\n",
            lines.len()
        );
        for [name, codes, methods, description, advice] in lines {
            let codes = codes.replace(',', ", ");
            let methods = if methods == "*" { "" } else { &methods };
            let advice = if advice == "-" { "" } else { &advice };
            let _ = writeln!(
                text,
                "    ErrorInfo::new({name:?}, &[{codes}], {methods:?}, {description:?}, {advice:?}),"
            );
        }
        text + "];\n"
    }

    fn names() -> String {
        let mut text = format!(
            "{NOTE}\n//! The names of Telegram's errors, so that the compiler sees a slip of the pen: `error.is(PEER_ID_INVALID)`.\n\n"
        );
        for [name, _, _, description, _] in data() {
            let constant = name.to_ascii_uppercase();
            let digit = constant.starts_with(|c: char| c.is_ascii_digit());
            let underscore = if digit { "_" } else { "" };
            let description = description.replace('<', "\\<");
            let _ = writeln!(
                text,
                "/// {description}.\npub const {underscore}{constant}: &str = {name:?};"
            );
        }
        text
    }

    #[test]
    fn the_table_and_the_names_are_what_the_data_file_says() {
        for (path, made) in [
            ("src/error/table.rs", table()),
            ("src/error/names.rs", names()),
        ] {
            if env::var_os("LAYER_WRITE_ERRORS").is_some() {
                fs::write(Path::new(env!("CARGO_MANIFEST_DIR")).join(path), &made).unwrap();
            }
            assert!(
                crate_file(path) == made,
                "{path} is not made from data/errors.tsv as it is now; LAYER_WRITE_ERRORS=1 makes it anew"
            );
        }
    }

    #[test]
    fn the_table_is_sorted_and_each_name_stands_in_it_once() {
        for pair in TABLE.windows(2) {
            assert!(
                pair[0].name < pair[1].name,
                "{} {}",
                pair[0].name,
                pair[1].name
            );
        }
    }

    #[test]
    fn names_are_such_as_an_error_that_came_is_taken_apart_into() {
        for info in known_errors() {
            let error = RpcError::parse(400, info.name());
            assert_eq!((error.name.as_str(), error.value), (info.name(), None));
            let well_formed = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
            assert!(
                info.name() == "Timeout" || info.name().chars().all(well_formed),
                "{}",
                info.name()
            );
            assert_eq!(error_info(info.name()), Some(info));
        }
        assert_eq!(error_info("NO_SUCH_ERROR"), None);
    }

    #[test]
    fn every_line_says_something_in_the_form_of_the_others() {
        for info in known_errors() {
            let name = info.name();
            assert!(!info.codes().is_empty(), "{name}");
            for text in [Some(info.description()), info.advice()]
                .into_iter()
                .flatten()
            {
                let begins = text.chars().next().unwrap();
                // `GIFs` and `Telegram` keep their letters.
                let proper = ["GIF", "Telegram"]
                    .iter()
                    .any(|word| text.starts_with(word));
                assert!(begins.is_lowercase() || proper, "{name}: {text}");
                assert!(
                    !text.ends_with('.') && text.trim() == text,
                    "{name}: {text}"
                );
            }
        }
    }

    #[test]
    fn methods_are_those_of_the_schema() {
        let schema = crate_file("../layer-tl-types/tl/api.tl");
        let (_, functions) = schema.split_once("---functions---").unwrap();
        let known: HashSet<_> = functions
            .lines()
            .filter_map(|line| line.split_once('#').map(|(name, _)| name))
            .collect();
        for info in known_errors() {
            for method in info.methods() {
                assert!(known.contains(method), "{}: {method}", info.name());
            }
        }
    }

    #[test]
    fn every_end_of_a_login_is_in_the_table_with_its_code() {
        let ends = [
            "AUTH_KEY_UNREGISTERED",
            "AUTH_KEY_INVALID",
            "AUTH_KEY_DUPLICATED",
            "SESSION_REVOKED",
            "SESSION_EXPIRED",
            "USER_DEACTIVATED",
            "USER_DEACTIVATED_BAN",
        ];
        for name in ends {
            let info = error_info(name).unwrap_or_else(|| panic!("{name}"));
            let error = RpcError::parse(info.codes()[0], name);
            assert!(Terminal::from_rpc(&error).is_some(), "{name}");
        }
        let distinct = known_errors().filter(|info| {
            Terminal::from_rpc(&RpcError::parse(info.codes()[0], info.name())).is_some()
        });
        assert_eq!(distinct.count(), ends.len());
    }

    #[test]
    fn names_can_be_matched_on() {
        use super::super::names;
        let said = match RpcError::parse(420, "FLOOD_WAIT_3").name.as_str() {
            names::FLOOD_WAIT => "wait",
            names::_2FA_CONFIRM_WAIT | names::TIMEOUT => "other",
            _ => "unknown",
        };
        assert_eq!(said, "wait");
    }
}
