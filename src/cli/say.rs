//! What commands write to standard output.

/// Writes to standard output; a reader who went away is no failure.
pub(super) fn say(text: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// Writes a value as JSON.
pub(super) fn say_json(value: &impl serde::Serialize) {
    // These values are plain structs with text keys: they always have a JSON form.
    if let Ok(json) = serde_json::to_string_pretty(value) {
        say(&json);
    }
}

/// A table without lines, which fits a terminal and a pipe.
pub(super) fn table(header: &[&str]) -> comfy_table::Table {
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table.set_header(header);
    table
}
