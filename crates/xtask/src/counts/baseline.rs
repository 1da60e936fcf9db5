//! The committed counts.

use serde_json::{Value, json};

use super::Counts;

/// Counts and the compiler that made the counted program.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Baseline {
    /// What `rustc --version` says.
    pub(super) rustc: String,
    pub(super) instructions: Counts,
}

impl Baseline {
    /// Reads the file; the error says what is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let value: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let rustc = value["rustc"].as_str().ok_or("`rustc` is not a string")?.to_owned();
        let members = value["instructions"].as_object().ok_or("`instructions` is not an object")?;
        let count = |(name, count): (&String, &Value)| match count.as_u64() {
            Some(count) if count > 0 => Ok((name.clone(), count)),
            Some(_) | None => Err(format!("`{name}` is not a whole number above 0")),
        };
        let instructions = members.iter().map(count).collect::<Result<_, _>>()?;
        Ok(Self { rustc, instructions })
    }

    /// The file: scenarios sorted by name, a line for each.
    pub(super) fn render(&self) -> String {
        let value = json!({ "instructions": self.instructions, "rustc": self.rustc });
        format!("{value:#}\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn baseline() -> Baseline {
        let instructions = [("b".to_owned(), 20), ("a".to_owned(), 1)].into_iter().collect();
        Baseline { rustc: "rustc 1.95.0".to_owned(), instructions }
    }

    #[test]
    fn a_baseline_is_sorted_and_reads_back() {
        let text = baseline().render();
        let expected = "{\n  \"instructions\": {\n    \"a\": 1,\n    \"b\": 20\n  },\n  \
                        \"rustc\": \"rustc 1.95.0\"\n}\n";
        assert_eq!(text, expected);
        assert_eq!(Baseline::parse(&text), Ok(baseline()));
    }

    #[test]
    fn a_file_that_is_no_baseline_is_refused_with_the_reason() {
        for (text, reason) in [
            ("{", "EOF"),
            ("{}", "`rustc`"),
            (r#"{"rustc": "r"}"#, "`instructions`"),
            (r#"{"rustc": "r", "instructions": {"a": 1.5}}"#, "`a`"),
            (r#"{"rustc": "r", "instructions": {"a": 0}}"#, "`a`"),
        ] {
            let refusal = Baseline::parse(text).unwrap_err();
            assert!(refusal.contains(reason), "{text}: {refusal}");
        }
    }
}
