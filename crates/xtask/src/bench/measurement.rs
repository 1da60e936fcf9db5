//! One run of the load generator.

use serde_json::Value;

use crate::failure::{Failure, Outcome};

/// What `tenfour-load --json` has printed.
pub(super) struct Measurement(Value);

impl Measurement {
    /// Reads the object. A run in which something was unexpected is no measurement.
    ///
    /// # Errors
    /// What was unexpected, or that it is no object of the load generator.
    pub(super) fn parse(text: &str) -> Outcome<Self> {
        let value: Value = serde_json::from_str(text)
            .map_err(|error| Failure::new(format!("tenfour-load printed no JSON: {error}")))?;
        match value["ok"].as_bool() {
            Some(true) => Ok(Self(value)),
            Some(false) => {
                let faults = value["faults"].as_array().into_iter().flatten();
                let faults: Vec<&str> = faults.filter_map(Value::as_str).collect();
                Err(Failure::new(faults.join("; ")))
            }
            None => Err(Failure::new("tenfour-load did not say whether the run was as expected")),
        }
    }

    /// A figure by its JSON pointer, such as `/latency_us/p99`.
    ///
    /// # Errors
    /// When it was not measured.
    pub(super) fn number(&self, pointer: &str) -> Outcome<f64> {
        let number = self.0.pointer(pointer).and_then(Value::as_f64);
        number.ok_or_else(|| Failure::new(format!("tenfour-load did not measure {pointer}")))
    }

    /// Whether the open loop was kept up with; true for a closed one.
    pub(super) fn kept_up(&self) -> bool {
        self.0.pointer("/open_loop/kept_up").and_then(Value::as_bool).unwrap_or(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_found_and_missing_ones_named() {
        let text = r#"{"ok": true, "latency_us": {"p99": 1.5}, "open_loop": {"kept_up": false}}"#;
        let measurement = Measurement::parse(text).unwrap();
        assert_eq!(measurement.number("/latency_us/p99").unwrap(), 1.5);
        assert!(!measurement.kept_up());
        assert!(measurement.number("/absent").unwrap_err().to_string().contains("/absent"));
        assert!(Measurement::parse(r#"{"ok": true}"#).unwrap().kept_up());
    }

    #[test]
    fn a_run_with_faults_is_none() {
        let faults = |text| Measurement::parse(text).err().unwrap().to_string();
        assert_eq!(faults(r#"{"ok": false, "faults": ["3 errors", "no"]}"#), "3 errors; no");
        assert!(faults("{}").contains("did not say"));
        assert!(faults("").contains("no JSON"));
    }
}
