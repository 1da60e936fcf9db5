//! A TOML file that is read with the line of every value, so that all its mistakes are found in
//! one go.

use std::cell::RefCell;
use std::fmt::Display;
use std::ops::{Range, RangeInclusive};
use std::path::{Path, PathBuf};
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::mistake::{Mistakes, Place};

/// A wrong value is quoted up to this length.
const SHOWN_CHARS: usize = 60;

/// Reads `text`, the contents of the TOML file `path`, and returns what `read` made of it along
/// with the mistakes in it: those of the grammar, those `read` noted, and keys it did not ask for.
pub fn read<T>(path: &Path, text: &str, read: impl FnOnce(&mut Table<'_>) -> T) -> (T, Mistakes) {
    let source = Source { path, text, mistakes: RefCell::default() };
    let (table, errors) = DeTable::parse_recoverable(text);
    let mut table = Table::new(&source, String::new(), Some((0, table.get_ref())));
    let value = read(&mut table);
    drop(table);
    let found = source.mistakes.take();
    if errors.is_empty() {
        return (value, found);
    }
    // What the reader found on a line the grammar already rejects is a consequence, not a mistake.
    let mut mistakes = Mistakes::default();
    for error in &errors {
        mistakes.add(source.place(error.span().map_or(0, |span| span.start)), error.message());
    }
    let broken: Vec<Place> = mistakes.iter().map(|mistake| mistake.place.clone()).collect();
    for mistake in &found {
        if !broken.contains(&mistake.place) && mistake.place != Place::File(path.to_owned()) {
            mistakes.add(mistake.place.clone(), mistake.message.clone());
        }
    }
    (value, mistakes)
}

/// The file that is being read.
struct Source<'a> {
    path: &'a Path,
    text: &'a str,
    mistakes: RefCell<Mistakes>,
}

impl Source<'_> {
    fn place(&self, offset: usize) -> Place {
        let before = self.text.as_bytes().iter().take(offset);
        Place::Line(self.path.to_owned(), before.filter(|byte| **byte == b'\n').count() + 1)
    }
}

/// A table of the file. When it is dropped, the keys nobody asked for are noted as unknown.
pub struct Table<'a> {
    source: &'a Source<'a>,
    /// Its name in the file with a dot behind, or nothing for the whole file.
    prefix: String,
    /// Where it stands, and its contents; `None` when the file does not have it.
    found: Option<(usize, &'a DeTable<'a>)>,
    asked: Vec<&'static str>,
}

impl<'a> Table<'a> {
    fn new(
        source: &'a Source<'a>,
        prefix: String,
        found: Option<(usize, &'a DeTable<'a>)>,
    ) -> Self {
        Table { source, prefix, found, asked: Vec::new() }
    }

    /// The value of `key`, if the file has it.
    pub fn get(&mut self, key: &'static str) -> Option<Value<'a>> {
        self.asked.push(key);
        let (_, table) = self.found?;
        let value = table.get(key)?;
        Some(Value { source: self.source, name: format!("{}{key}", self.prefix), value })
    }

    /// The value of `key`; noted as missing with `example` as what to write otherwise.
    pub fn require(&mut self, key: &'static str, example: &str) -> Option<Value<'a>> {
        let value = self.get(key);
        if value.is_none() {
            self.mistake(format!("`{}{key}` is missing; write {example}", self.prefix));
        }
        value
    }

    /// The table under `key`; an empty one if the file does not have it.
    pub fn table(&mut self, key: &'static str) -> Table<'a> {
        let prefix = format!("{}{key}.", self.prefix);
        match self.get(key) {
            Some(value) => value.table(),
            None => Table::new(self.source, prefix, None),
        }
    }

    /// Whether the file has this table.
    pub fn exists(&self) -> bool {
        self.found.is_some()
    }

    /// All pairs of a table whose keys are free.
    pub fn pairs(mut self) -> Vec<(String, Value<'a>)> {
        let (source, prefix) = (self.source, std::mem::take(&mut self.prefix));
        let pairs = self.found.take().map(|(_, table)| table.iter()).into_iter().flatten();
        let pair = |(key, value): (&Spanned<_>, &'a _)| {
            let key: &std::borrow::Cow<'_, str> = key.get_ref();
            (key.to_string(), Value { source, name: format!("{prefix}{key}"), value })
        };
        pairs.map(pair).collect()
    }

    /// Notes a mistake about the table.
    pub fn mistake(&self, message: impl Into<String>) {
        let place = match (self.found, self.prefix.is_empty()) {
            (Some((offset, _)), false) => self.source.place(offset),
            (Some(_), true) | (None, _) => Place::File(self.source.path.to_owned()),
        };
        self.source.mistakes.borrow_mut().add(place, message);
    }

    fn note_unknown(&self, key: &str, span: Range<usize>) {
        let place = self.source.place(span.start);
        let advice = match closest(key, &self.asked) {
            Some(known) => format!("did you mean `{known}`?"),
            None => format!("there may be {}", list(&self.asked)),
        };
        let message = format!("unknown key `{}{key}`; {advice}", self.prefix);
        self.source.mistakes.borrow_mut().add(place, message);
    }
}

impl Drop for Table<'_> {
    fn drop(&mut self) {
        let Some((_, table)) = self.found else { return };
        for (key, _) in table.iter() {
            if !self.asked.contains(&key.get_ref().as_ref()) {
                self.note_unknown(key.get_ref(), key.span());
            }
        }
    }
}

/// A value of the file.
pub struct Value<'a> {
    source: &'a Source<'a>,
    name: String,
    value: &'a Spanned<DeValue<'a>>,
}

impl<'a> Value<'a> {
    /// Where it stands.
    pub fn place(&self) -> Place {
        self.source.place(self.value.span().start)
    }

    /// Notes a mistake about the value, under its name.
    pub fn mistake(&self, message: impl Display) {
        let message = format!("`{}`: {message}", self.name);
        self.source.mistakes.borrow_mut().add(self.place(), message);
    }

    /// Notes that the value is not what it should be.
    pub fn expected(&self, what: impl Display) {
        let written = self.source.text.get(self.value.span()).unwrap_or_default();
        let written = written.lines().next().unwrap_or_default();
        let shown: String = written.chars().take(SHOWN_CHARS).collect();
        let more = if shown.len() < written.len() { "…" } else { "" };
        self.mistake(format_args!("expected {what}, not {shown}{more}"));
    }

    /// As a string.
    pub fn text(&self) -> Option<&'a str> {
        let text = self.value.get_ref().as_str();
        if text.is_none() {
            self.expected("a string in quotes");
        }
        text
    }

    /// As a string that `parse` understands; its error says what would be right.
    pub fn parse<T, E: Display>(&self, parse: impl FnOnce(&str) -> Result<T, E>) -> Option<T> {
        match parse(self.text()?) {
            Ok(value) => Some(value),
            Err(error) => {
                self.mistake(error);
                None
            }
        }
    }

    /// As one of a few words.
    pub fn one_of<T: Copy>(&self, words: &[(&'static str, T)]) -> Option<T> {
        let text = self.text()?;
        let found = words.iter().find(|(word, _)| *word == text);
        if found.is_none() {
            let words: Vec<_> = words.iter().map(|(word, _)| *word).collect();
            self.expected(list(&words));
        }
        found.map(|(_, value)| *value)
    }

    /// As a path, relative to the folder of the file.
    pub fn path(&self) -> Option<PathBuf> {
        let text = self.text()?;
        if text.is_empty() {
            self.mistake("expected a path, not an empty string");
            return None;
        }
        Some(self.source.path.parent().unwrap_or(Path::new("")).join(text))
    }

    /// As `true` or `false`.
    pub fn boolean(&self) -> Option<bool> {
        let value = self.value.get_ref().as_bool();
        if value.is_none() {
            self.expected("true or false");
        }
        value
    }

    /// As a whole number within `range`.
    pub fn integer(&self, range: RangeInclusive<u64>) -> Option<u64> {
        let integer = self.value.get_ref().as_integer();
        let number = integer.and_then(|i| u64::from_str_radix(i.as_str(), i.radix()).ok());
        let number = number.filter(|number| range.contains(number));
        if number.is_none() {
            self.expected(format_args!("a whole number, {} to {}", range.start(), range.end()));
        }
        number
    }

    /// As a number, with or without a fraction.
    fn float(&self) -> Option<f64> {
        let value = self.value.get_ref();
        match (value.as_integer(), value.as_float()) {
            (Some(integer), _) => integer.as_str().parse().ok(),
            (None, float) => float.and_then(|float| float.as_str().parse().ok()),
        }
    }

    /// As a number, with or without a fraction, within `range`.
    pub fn fraction(&self, range: RangeInclusive<f64>) -> Option<f64> {
        let number = self.float().filter(|number| range.contains(number));
        if number.is_none() {
            self.expected(format_args!("a number, {} to {}", range.start(), range.end()));
        }
        number
    }

    /// As a duration in seconds, with or without a fraction, within `range`.
    pub fn seconds(&self, range: RangeInclusive<Duration>) -> Option<Duration> {
        let duration = self.float().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        let duration = duration.filter(|duration| range.contains(duration));
        if duration.is_none() {
            let (start, end) = (range.start().as_secs_f64(), range.end().as_secs_f64());
            self.expected(format_args!("seconds, {start} to {end}"));
        }
        duration
    }

    /// As a list of strings, each with its own place.
    pub fn texts(&self) -> Option<Vec<(&'a str, Value<'a>)>> {
        let Some(array) = self.value.get_ref().as_array() else {
            self.expected("a list of strings, such as [\"a\", \"b\"]");
            return None;
        };
        let value = |value| Value { source: self.source, name: self.name.clone(), value };
        array.iter().map(|item| value(item).text().map(|text| (text, value(item)))).collect()
    }

    /// Whether it is a table.
    pub fn is_table(&self) -> bool {
        self.value.get_ref().is_table()
    }

    /// Whether it is a string.
    pub fn is_text(&self) -> bool {
        self.value.get_ref().is_str()
    }

    /// As a table; an empty one after noting the mistake if it is none.
    pub fn table(&self) -> Table<'a> {
        let found = self.value.get_ref().as_table();
        if found.is_none() {
            self.expected("a table");
        }
        let found = found.map(|table| (self.value.span().start, table));
        Table::new(self.source, format!("{}.", self.name), found)
    }

    /// As a moment in seconds since 1970, written as a TOML date-time or as an RFC 3339 string.
    pub fn epoch_seconds(&self) -> Option<i64> {
        let value = self.value.get_ref();
        let written = value.as_str().and_then(|text| text.parse().ok());
        let seconds = value.as_datetime().or(written.as_ref()).and_then(epoch_seconds);
        if seconds.is_none() {
            self.expected("a moment with its time zone, such as 2030-01-31T00:00:00Z");
        }
        seconds
    }
}

fn epoch_seconds(moment: &toml::value::Datetime) -> Option<i64> {
    use toml::value::Offset;
    let (date, time) = (moment.date?, moment.time?);
    let offset_minutes = match moment.offset? {
        Offset::Z => 0,
        Offset::Custom { minutes } => i64::from(minutes),
    };
    // Days since 1970 in the Gregorian calendar, with the year starting in March so that the
    // leap day is its last.
    let (month, day) = (i64::from(date.month), i64::from(date.day));
    let year = i64::from(date.year) - i64::from(month <= 2);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days =
        year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + day_of_year
            - 719_468;
    let minutes = i64::from(time.hour) * 60 + i64::from(time.minute) - offset_minutes;
    Some(days * 86_400 + minutes * 60 + i64::from(time.second.unwrap_or(0)))
}

/// The known word that `word` most likely stands for.
pub fn closest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let distance = |known: &str| strsim::osa_distance(word, known);
    let best = known.iter().copied().min_by_key(|known| distance(known))?;
    (distance(best) <= 1.max(word.chars().count() / 3)).then_some(best)
}

/// `a`, `b` or `c`.
pub fn list(words: &[&str]) -> String {
    match words {
        [] => "nothing".to_owned(),
        [word] => format!("`{word}`"),
        [words @ .., last] => {
            let words: Vec<_> = words.iter().map(|word| format!("`{word}`")).collect();
            format!("{} or `{last}`", words.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(text: &str) -> Option<i64> {
        read(Path::new("f"), &format!("m = {text}"), |table| {
            table.get("m").and_then(|value| value.epoch_seconds())
        })
        .0
    }

    #[test]
    fn a_moment_is_read_as_seconds_since_1970() {
        assert_eq!(moment("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(moment("\"2000-02-29T12:34:56Z\""), Some(951_827_696));
        assert_eq!(moment("2030-01-31T01:00:00+01:00"), Some(1_896_048_000));
        assert_eq!(moment("1969-12-31T23:59:59Z"), Some(-1));
        assert_eq!(moment("2030-01-31"), None, "no time zone");
        assert_eq!(moment("\"soon\""), None);
    }

    #[test]
    fn a_misspelt_word_finds_its_neighbour_and_a_stranger_finds_none() {
        let known = ["address", "principal", "open"];
        assert_eq!(closest("adress", &known), Some("address"));
        assert_eq!(closest("principle", &known), Some("principal"));
        assert_eq!(closest("colour", &known), None);
    }
}
