//! `command-line.md`: every command, argument and option, as the parser knows them.

use clap::{Arg, Command};

use super::{assert_page, cell, made_of};

#[test]
fn the_page_of_the_command_line_has_what_the_parser_knows() {
    let mut program = bss_sync::cli::definition();
    program.build();
    let mut page = format!("# Command line\n\n{}", made_of("the definitions of the commands in src/cli"));
    page += &format!("{}.\n\n```text\n{}\n```\n", about(&program), usage(&mut program.clone()));
    page += "\n## Options of every command {#options-of-every-command}\n";
    page += &arguments(&program, Arg::is_global_set);
    page += "\n## Commands\n\n| command | what it does |\n| --- | --- |\n";
    let commands: Vec<&Command> = shown(&program).collect();
    for command in &commands {
        page += &format!("| [`{0}`](#{0}) | {1} |\n", command.get_name(), cell(&about(command)));
    }
    for command in commands {
        section(command, 2, &mut page);
    }
    let codes = program.get_after_help().expect("exit codes").to_string();
    let codes = codes.trim_start_matches("Exit codes:").trim_matches('\n');
    page += &format!(
        "\n## Exit codes {{#exit-codes}}\n\nWhat to do about each: [Exit codes](../operate/exit-codes.md).\n\n```text\n{codes}\n```\n"
    );
    assert_page("command-line.md", &page);
}

/// The commands that the help shows.
fn shown(command: &Command) -> impl Iterator<Item = &Command> {
    command.get_subcommands().filter(|command| !command.is_hide_set() && command.get_name() != "help")
}

/// A command with its arguments, and those below it.
fn section(command: &Command, level: usize, page: &mut String) {
    let name = command.get_bin_name().expect("built").trim_start_matches("bss-sync ").to_owned();
    let (hashes, anchor) = ("#".repeat(level), name.replace(' ', "-"));
    *page += &format!("\n{hashes} {name} {{#{anchor}}}\n\n{}.\n", about(command));
    *page += &format!("\n```text\n{}\n```\n", usage(&mut command.clone()));
    *page += &arguments(command, |argument| !argument.is_global_set());
    for below in shown(command) {
        section(below, level + 1, page);
    }
}

fn about(command: &Command) -> String {
    let about = command.get_long_about().or(command.get_about()).expect("each command says what it does");
    about.to_string().trim_end_matches('.').to_owned()
}

fn usage(command: &mut Command) -> String {
    let usage = command.render_usage().to_string();
    usage.trim_start_matches("Usage:").lines().map(str::trim).collect::<Vec<_>>().join("\n")
}

/// The table of a command's arguments and options; nothing where it has none.
fn arguments(command: &Command, wanted: impl Fn(&Arg) -> bool) -> String {
    let rows: Vec<String> = command
        .get_arguments()
        .filter(|argument| wanted(argument) && !argument.is_hide_set())
        .filter(|argument| !matches!(argument.get_id().as_str(), "help" | "version"))
        .map(|argument| format!("| `{}` | {} |\n", written(argument).replace('|', "\\|"), meaning(argument)))
        .collect();
    if rows.is_empty() {
        return String::new();
    }
    format!("\n| argument | meaning |\n| --- | --- |\n{}", rows.concat())
}

fn takes_value(argument: &Arg) -> bool {
    argument.get_num_args().is_some_and(|count| count.takes_values())
}

/// The argument as it is typed.
fn written(argument: &Arg) -> String {
    let names = argument.get_value_names().unwrap_or_default();
    let value = names.iter().map(clap::builder::Str::as_str).collect::<Vec<_>>().join(" ");
    if argument.is_positional() {
        let value = if argument.is_required_set() { value } else { format!("[{value}]") };
        let is_many = argument.get_num_args().is_some_and(|count| count.max_values() > 1)
            || matches!(argument.get_action(), clap::ArgAction::Append);
        return format!("{value}{}", if is_many { "…" } else { "" });
    }
    let short = argument.get_short().map(|letter| format!("-{letter}"));
    let long = argument.get_long().map(|name| format!("--{name}"));
    let flags = [short, long].into_iter().flatten().collect::<Vec<_>>().join(", ");
    if takes_value(argument) { format!("{flags} {value}") } else { flags }
}

/// What it is for, the values it takes and what stands for it when it is left out.
fn meaning(argument: &Arg) -> String {
    let help = argument.get_long_help().or(argument.get_help()).map(ToString::to_string).unwrap_or_default();
    let mut parts = vec![cell(&help)];
    if takes_value(argument) {
        let values = argument.get_possible_values();
        let values = values.iter().filter(|value| !value.is_hide_set()).map(|value| {
            let help = value.get_help().map(|help| format!(" ({})", cell(&help.to_string())));
            format!("`{}`{}", value.get_name(), help.unwrap_or_default())
        });
        let defaults = argument.get_default_values().iter();
        let defaults = defaults.map(|value| format!("`{}`", value.to_string_lossy()));
        for (title, list) in [("Values", values.collect::<Vec<_>>()), ("Default", defaults.collect())] {
            if !list.is_empty() {
                parts.push(format!("{title}: {}", list.join(", ")));
            }
        }
    }
    parts.join(". ")
}
