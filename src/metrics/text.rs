//! The text form of Prometheus: a family of samples after the other.

use std::fmt::{Display, Write};

/// How the values of a family move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MetricKind {
    /// It only grows.
    Counter,
    /// It goes up and down.
    Gauge,
}

/// The text, as it grows.
#[derive(Debug, Default)]
pub(super) struct Text(String);

impl Text {
    /// Begins a family; its samples follow.
    pub(super) fn family(&mut self, name: &'static str, kind: MetricKind, help: &str) -> Family<'_> {
        let kind = match kind {
            MetricKind::Counter => "counter",
            MetricKind::Gauge => "gauge",
        };
        self.0.push_str(&format!("# HELP {name} {help}\n# TYPE {name} {kind}\n"));
        Family { text: &mut self.0, name }
    }

    pub(super) fn finish(self) -> String {
        self.0
    }
}

/// A family that takes samples.
pub(super) struct Family<'a> {
    text: &'a mut String,
    name: &'static str,
}

impl Family<'_> {
    /// Adds a sample; a value that is not known is none.
    pub(super) fn sample(&mut self, labels: &[(&str, &str)], value: Option<impl Display>) {
        let Some(value) = value else { return };
        self.text.push_str(self.name);
        for (at, (label, text)) in labels.iter().enumerate() {
            self.text.push_str(if at == 0 { "{" } else { "," });
            // Writing to a text cannot fail.
            let _ = write!(self.text, "{label}=\"{}\"", escaped(text));
        }
        self.text.push_str(if labels.is_empty() { "" } else { "}" });
        let _ = writeln!(self.text, " {value}");
    }
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_escaped_and_unknown_values_are_left_out() {
        let mut text = Text::default();
        let mut family = text.family("x_total", MetricKind::Counter, "Things.");
        family.sample(&[("a", "b\\c\"d\ne"), ("f", "")], Some(3));
        family.sample(&[("a", "nothing")], None::<i64>);
        text.family("y", MetricKind::Gauge, "Others.").sample(&[], Some(0.5));
        assert_eq!(
            text.finish(),
            "# HELP x_total Things.\n# TYPE x_total counter\nx_total{a=\"b\\\\c\\\"d\\ne\",f=\"\"} 3\n\
             # HELP y Others.\n# TYPE y gauge\ny 0.5\n"
        );
    }
}
