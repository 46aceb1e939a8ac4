//! Rules as text, and what is said of those that are none.

use std::fmt;
use std::str::{FromStr, SplitWhitespace};
use std::time::Duration;

use super::{Action, Carrier, Fault, KeyKind, Point, Step, TransportKind, Where};

/// Why a rule is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RuleError {
    /// The rule does not say what is to happen.
    NoAction,
    /// The rule says neither at which point nor to which calls it applies.
    NoPoint,
    /// A word that is none of those that could stand in its place.
    Unknown {
        /// What was expected: `action`, `selector` …
        what: &'static str,
        /// What came.
        got: String,
        /// All that could have come.
        expected: String,
    },
    /// A value that does not fit.
    Value {
        /// What it was for: an action or a selector.
        of: String,
        /// What came.
        got: String,
        /// What was expected.
        expected: String,
    },
    /// An action that has no meaning where the rule applies.
    Misplaced {
        /// The action's name.
        action: &'static str,
        /// Where the rule applies.
        point: Point,
        /// Where the action has a meaning.
        points: &'static [Point],
    },
    /// A selector that has no meaning where the rule applies.
    Selector {
        /// The selector's name.
        selector: &'static str,
        /// Where the rule applies.
        point: Point,
        /// Where the selector has a meaning.
        points: &'static [Point],
    },
}

impl RuleError {
    pub(crate) fn value(of: &str, got: String, expected: &str) -> Self {
        Self::Value {
            of: of.to_owned(),
            got,
            expected: expected.to_owned(),
        }
    }
}

fn list(points: &[Point]) -> String {
    let names: Vec<_> = points.iter().map(Point::to_string).collect();
    names.join(", ")
}

impl fmt::Display for RuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoAction => f.write_str(
                "the rule says nothing after its colon: expected WHERE: ACTION, \
                 such as \"method=messages.sendMessage times=2: flood-wait 3\"",
            ),
            Self::NoPoint => write!(
                f,
                "the rule does not say where it applies: expected method=NAME or one of {}",
                list(&Point::ALL.map(|(_, point)| point))
            ),
            Self::Unknown {
                what,
                got,
                expected,
            } => write!(f, "{got:?} is no {what}: expected one of {expected}"),
            Self::Value { of, got, expected } => write!(f, "{of}: expected {expected}, got {got}"),
            Self::Misplaced {
                action,
                point,
                points,
            } => write!(
                f,
                "\"{action}\" means nothing at \"{point}\": it goes with {}",
                list(points)
            ),
            Self::Selector {
                selector,
                point,
                points,
            } => write!(
                f,
                "\"{selector}\" means nothing at \"{point}\": it goes with {}",
                list(points)
            ),
        }
    }
}

impl std::error::Error for RuleError {}

// -- pieces -------------------------------------------------------------------------------------------------------

/// The name of a value in a table of names.
pub(super) fn name_of<T: PartialEq>(
    table: &'static [(&'static str, T)],
    wanted: T,
) -> &'static str {
    table
        .iter()
        .find(|(_, value)| *value == wanted)
        .map_or("", |(name, _)| name)
}

/// The value of a name in a table of names.
fn named<T: Copy>(what: &str, got: &str, table: &[(&str, T)]) -> Result<T, RuleError> {
    let found = table.iter().find(|(name, _)| *name == got);
    found.map(|(_, value)| *value).ok_or_else(|| {
        let names: Vec<_> = table.iter().map(|(name, _)| *name).collect();
        RuleError::value(
            what,
            format!("{got:?}"),
            &format!("one of {}", names.join(", ")),
        )
    })
}

/// Whether a text can stand for a name in a rule: one word without what a rule is made of.
pub(super) fn is_name(text: &str) -> bool {
    !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || matches!(c, ':' | ',' | '='))
}

/// `1s500ms` is written `1500ms`, and whole seconds as such.
pub(super) fn duration(time: Duration) -> String {
    match time.subsec_millis() {
        0 => format!("{}s", time.as_secs()),
        _ => format!("{}ms", time.as_millis()),
    }
}

/// No rule waits longer than a day.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

pub(super) fn parse_duration(text: &str) -> Option<Duration> {
    let time = if let Some(number) = text.strip_suffix("ms") {
        Duration::from_millis(number.parse().ok()?)
    } else if let Some(number) = text.strip_suffix('s') {
        Duration::from_secs(number.parse().ok()?)
    } else {
        Duration::from_secs(
            text.strip_suffix('m')?
                .parse::<u64>()
                .ok()?
                .checked_mul(60)?,
        )
    };
    (time <= LONGEST).then_some(time)
}

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;

pub(super) fn size(bytes: u64) -> String {
    if bytes.is_multiple_of(MIB) {
        format!("{}MiB", bytes / MIB)
    } else if bytes.is_multiple_of(KIB) {
        format!("{}KiB", bytes / KIB)
    } else {
        bytes.to_string()
    }
}

pub(super) fn parse_size(text: &str) -> Option<u64> {
    let (number, unit) = if let Some(number) = text.strip_suffix("MiB") {
        (number, MIB)
    } else if let Some(number) = text.strip_suffix("KiB") {
        (number, KIB)
    } else {
        (text, 1)
    };
    number.parse::<u64>().ok()?.checked_mul(unit)
}

fn parse_chance(text: &str) -> Option<f64> {
    let chance = match text.strip_suffix('%') {
        Some(percent) => percent.parse::<f64>().ok()? / 100.0,
        None => text.parse().ok()?,
    };
    (0.0..=1.0).contains(&chance).then_some(chance)
}

/// What follows the name of an action.
pub(super) struct Arguments<'a> {
    action: &'a str,
    words: SplitWhitespace<'a>,
}

impl<'a> Arguments<'a> {
    pub(super) fn new(action: &'a str, words: SplitWhitespace<'a>) -> Self {
        Self { action, words }
    }

    /// The next word, as what it stands for.
    pub(super) fn take<T>(
        &mut self,
        expected: &str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<T, RuleError> {
        let word = self.words.next();
        word.and_then(read).ok_or_else(|| {
            let got = word.map_or("nothing".to_owned(), |word| format!("{word:?}"));
            RuleError::value(self.action, got, expected)
        })
    }

    pub(super) fn number<T: FromStr>(&mut self, expected: &str) -> Result<T, RuleError> {
        self.take(expected, |word| word.parse().ok())
    }

    pub(super) fn one_of<T: Copy>(&mut self, table: &[(&str, T)]) -> Result<T, RuleError> {
        named(self.action, self.words.next().unwrap_or_default(), table)
    }

    pub(super) fn end(mut self) -> Result<(), RuleError> {
        match self.words.next() {
            None => Ok(()),
            Some(word) => Err(RuleError::value(
                self.action,
                format!("{word:?}"),
                "nothing more, or a comma before the next action",
            )),
        }
    }
}

// -- rules --------------------------------------------------------------------------------------------------------

/// What can stand before the colon, each with an example.
const SELECTORS: &str = "connect, in, out, call, exchange, push, now, method=messages.*, dc=2, connection=1, \
                         transport=abridged, over=ws, user=1000001, key=temporary, packet=3, container, step=pq, \
                         update=updateNewMessage, part=3, offset=4MiB, file=77, \
                         times=2, after=5, nth=3, chance=10%, for=30s";

impl FromStr for Fault {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        let (place, actions) = text.split_once(':').ok_or(RuleError::NoAction)?;
        let mut fault = read_place(place)?;
        for action in actions.split(',') {
            fault = fault.then(action.parse()?);
        }
        fault.check()?;
        Ok(fault)
    }
}

fn read_place(text: &str) -> Result<Fault, RuleError> {
    let mut place = Where::anywhere();
    let mut point = None;
    let mut fault = Fault::on(Where::anywhere());
    for word in text.split_whitespace() {
        if let Some((_, named)) = Point::ALL.iter().find(|(name, _)| *name == word) {
            if point.replace(*named).is_some() {
                return Err(RuleError::value(
                    "rule",
                    format!("{word:?}"),
                    "one point only",
                ));
            }
            continue;
        }
        if word == "container" {
            place.container = true;
            continue;
        }
        let unknown = || RuleError::Unknown {
            what: "selector",
            got: word.to_owned(),
            expected: SELECTORS.to_owned(),
        };
        let (name, value) = word.split_once('=').ok_or_else(unknown)?;
        let wrong = |expected: &str| RuleError::value(name, format!("{value:?}"), expected);
        let count = || {
            let count = value.parse().ok().filter(|count: &u64| *count > 0);
            count.ok_or_else(|| wrong("a number from 1 on"))
        };
        match name {
            "method" => place.method = Some(value.to_owned()),
            "dc" => place.dc = Some(value.parse().map_err(|_| wrong("a number"))?),
            "connection" => place.connection = Some(count()?),
            "transport" => {
                let kinds = TransportKind::ALL.map(|kind| kind.to_string());
                let kind: Option<TransportKind> = value.parse().ok();
                place.transport = Some(kind.ok_or_else(|| wrong(&kinds.join(", ")))?);
            }
            "over" => place.over = Some(named(name, value, &Carrier::ALL)?),
            "user" => place.user = Some(value.parse().map_err(|_| wrong("a user's id"))?),
            "key" => place.key = Some(named(name, value, &KeyKind::ALL)?),
            "packet" => place.packet = Some(count()?),
            "update" => place.update = Some(value.to_owned()),
            "part" => place.part = Some(value.parse().map_err(|_| wrong("a number from 0 on"))?),
            "offset" => {
                let at = parse_size(value);
                place.offset = Some(at.ok_or_else(|| wrong("bytes, such as 4096 or 4MiB"))?);
            }
            "file" => place.file = Some(value.parse().map_err(|_| wrong("a file's id"))?),
            "step" => place.step = Some(named(name, value, &Step::ALL)?),
            "times" => fault = fault.times(count()?),
            "after" => fault = fault.after(count()?),
            "nth" => fault = fault.nth(count()?),
            "chance" => {
                let chance = parse_chance(value);
                fault = fault.chance(chance.ok_or_else(|| wrong("0 to 1, or 0% to 100%"))?);
            }
            "for" => {
                let life = parse_duration(value);
                fault = fault.lasting(life.ok_or_else(|| wrong("a duration such as 30s"))?);
            }
            _ => return Err(unknown()),
        }
    }
    place.point = match point {
        Some(point) => point,
        None if place.method.is_some() => Point::Call,
        None => return Err(RuleError::NoPoint),
    };
    fault.place = place;
    Ok(fault)
}

impl fmt::Display for Where {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.point)?;
        if self.container {
            f.write_str(" container")?;
        }
        if let Some(method) = &self.method {
            write!(f, " method={method}")?;
        }
        if let Some(dc) = self.dc {
            write!(f, " dc={dc}")?;
        }
        if let Some(connection) = self.connection {
            write!(f, " connection={connection}")?;
        }
        if let Some(transport) = self.transport {
            write!(f, " transport={transport}")?;
        }
        if let Some(over) = self.over {
            write!(f, " over={over}")?;
        }
        if let Some(user) = self.user {
            write!(f, " user={user}")?;
        }
        if let Some(key) = self.key {
            write!(f, " key={key}")?;
        }
        if let Some(packet) = self.packet {
            write!(f, " packet={packet}")?;
        }
        if let Some(step) = self.step {
            write!(f, " step={step}")?;
        }
        if let Some(update) = &self.update {
            write!(f, " update={update}")?;
        }
        if let Some(part) = self.part {
            write!(f, " part={part}")?;
        }
        if let Some(offset) = self.offset {
            write!(f, " offset={}", size(offset))?;
        }
        if let Some(file) = self.file {
            write!(f, " file={file}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.place)?;
        if self.after > 0 {
            write!(f, " after={}", self.after)?;
        }
        if let Some(times) = self.times {
            write!(f, " times={times}")?;
        }
        if let Some(chance) = self.chance {
            write!(f, " chance={chance}")?;
        }
        if let Some(life) = self.life {
            write!(f, " for={}", duration(life))?;
        }
        let actions: Vec<_> = self.actions.iter().map(Action::to_string).collect();
        write!(f, ": {}", actions.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_is_read_and_written_where_it_has_a_meaning() {
        for example in Action::examples() {
            let action: Action = example.parse().unwrap();
            assert_eq!(action.to_string(), example);
            assert!(!action.points().is_empty());
            for (name, point) in Point::ALL {
                let rule = format!("{name}: {example}");
                let read: Result<Fault, _> = rule.parse();
                if action.points().contains(&point) {
                    assert_eq!(read.unwrap().to_string(), rule);
                } else {
                    assert!(matches!(read, Err(RuleError::Misplaced { .. })), "{rule}");
                }
            }
        }
    }

    #[test]
    fn every_selector_is_read_and_written() {
        for rule in [
            "connect connection=1 dc=2: close",
            "connect transport=abridged over=ws: silence",
            "in container method=messages.*: bad-msg 64",
            "in key=temporary packet=3: forget-key temporary",
            "out after=2 times=1: drop, noise 8",
            "out chance=0.05: duplicate",
            "call user=7 method=messages.sendMessage for=30s: flood-wait 30",
            "exchange step=pq: wrong-nonce",
            "exchange step=dh after=1 times=1: wrong-hash",
            "push user=7 update=updateNew*Message dc=2 chance=0.5: drop",
            "call method=upload.saveFilePart part=0 file=-5: lose-part",
            "call method=upload.getFile offset=4MiB times=1: expire-references, bandwidth 256KiB",
            "now: cdn-forgets, expire-tokens",
            "push key=permanent times=1: reorder, duplicate",
            "now: rotate-salts",
            "now dc=2: close",
        ] {
            let fault: Fault = rule.parse().unwrap();
            let written = fault.to_string();
            assert_eq!(written.parse::<Fault>().unwrap(), fault, "{rule} {written}");
            let mut words: Vec<_> = rule.split_whitespace().collect();
            let mut again: Vec<_> = written.split_whitespace().collect();
            words.sort_unstable();
            again.sort_unstable();
            assert_eq!(
                words.join(" ").replace(':', ""),
                again.join(" ").replace(':', "")
            );
        }
        let short: Fault = "method=help.getConfig nth=3: delay 1500ms".parse().unwrap();
        let built = Fault::on(Where::method("help.getConfig"))
            .nth(3)
            .then(Action::Delay(Duration::from_millis(1500)));
        assert_eq!(short, built);
        assert_eq!(
            short.to_string(),
            "call method=help.getConfig after=2 times=1: delay 1500ms"
        );
        let percent: Fault = "out chance=10%: drop".parse().unwrap();
        assert_eq!(percent.to_string(), "out chance=0.1: drop");
    }

    #[test]
    fn what_is_no_rule_is_refused_with_what_was_expected() {
        for (rule, words) in [
            ("", "WHERE: ACTION"),
            ("method=x", "WHERE: ACTION"),
            ("method=x:", "WHERE: ACTION"),
            (": close", "method=NAME or one of connect"),
            ("dc=2: close", "method=NAME or one of connect"),
            (
                "call: explode",
                "\"explode\" is no action: expected one of close,",
            ),
            ("somewhere: close", "\"somewhere\" is no selector"),
            (
                "call method=a planet=2: drop",
                "expected one of connect, in",
            ),
            ("call in: drop", "one point only"),
            (
                "call: flood-wait",
                "flood-wait: expected seconds, got nothing",
            ),
            ("call: flood-wait soon", "expected seconds, got \"soon\""),
            ("call: flood-wait 3 4", "a comma before the next action"),
            (
                "connect: flood-wait 3",
                "means nothing at \"connect\": it goes with call",
            ),
            ("in: wrong-hash", "it goes with exchange"),
            (
                "out method=x: drop",
                "\"method\" means nothing at \"out\": it goes with in, call",
            ),
            (
                "push connection=1: drop",
                "\"connection\" means nothing at \"push\"",
            ),
            ("push over=ws: drop", "\"over\" means nothing at \"push\""),
            ("call update=x: drop", "it goes with push"),
            ("out part=3: drop", "it goes with call"),
            (
                "method=upload.getFile offset=x: drop",
                "bytes, such as 4096",
            ),
            ("method=upload.getFile: bandwidth 1023", "at least 1KiB"),
            ("push: close", "means nothing at \"push\""),
            ("call: slice 0", "at least 1 change"),
            ("call times=0: drop", "times: expected a number from 1 on"),
            ("call chance=110%: drop", "0% to 100%"),
            ("call for=ever: drop", "for: expected a duration"),
            ("in: delay 3", "a duration such as 200ms"),
            ("in: delay 900000s", "a duration such as 200ms"),
            ("now times=2: close", "\"times\" means nothing at \"now\""),
            (
                "now over=ws: rotate-salts",
                "rotate-salts: expected no transport",
            ),
            (
                "exchange step=pq: dh-gen-retry",
                "step: expected gen, got pq",
            ),
            (
                "in key=round: drop",
                "key: expected one of permanent, temporary",
            ),
            (
                "in transport=carrier-pigeon: drop",
                "abridged, intermediate, padded, full",
            ),
            ("in: transport-error 404", "a negative number"),
            ("out: replay 17", "1 to 16 packets"),
            ("out: garbage 6", "a multiple of 4"),
            ("call: gzip-bomb 2000MiB", "at most 1024MiB"),
            ("call: error 400", "expected the name of an error"),
            (
                "call: migrate moon 2",
                "one of phone, user, network, file, stats",
            ),
        ] {
            let said = rule.parse::<Fault>().unwrap_err().to_string();
            assert!(said.contains(words), "{rule}: {said}");
        }
    }
}
