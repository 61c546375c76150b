//! The files of a configuration: where they are looked for, and what they may leave out.

use super::*;

#[test]
fn jobs_dir_replaces_the_built_in_jobs() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("written");
    let with_dir = format!("jobs_dir = \"{}\"\n{MINIMAL}", folder.path().display());
    let wrong =
        |text: &str| parse(text).expect_err("wrong").replace(&folder.path().display().to_string(), "FOLDER");
    insta::assert_snapshot!(wrong(&with_dir), @r#"
    the configuration has a problem; nothing was asked of the vendor

    /etc/bss/bss-sync.toml line 1: jobs_dir = "FOLDER": this folder has no *.toml
      put a job there, or remove the key to use the built-in ones
    "#);
    write("nightly.toml", "stream = \"orders\"\nschedule = \"@daily\"");
    write("hourly.toml", "stream = \"orders\"\nschedule = \"@hourly\"\naccounts = [\"acme\"]");
    write("notes.txt", "not a job");
    let names: Vec<String> =
        parse(&with_dir).expect("right").jobs.iter().map(|job| job.name.to_string()).collect();
    assert_eq!(names, ["hourly", "nightly"]);
    write("bad name.toml", "stream = \"orders\"");
    write("broken.toml", "stream = ");
    write("other.toml", "stream = \"orders\"\naccounts = [\"acne\"]");
    insta::assert_snapshot!(wrong(&with_dir), @r#"
    the configuration has 3 problems; nothing was asked of the vendor

    FOLDER/bad name.toml: the name of this file cannot name a job
      use 1 to 64 of A-Z a-z 0-9 _ - before .toml

    FOLDER/broken.toml line 1: this is no TOML: string values must be quoted, expected literal string
      correct the line; the syntax is at https://toml.io

    job other: jobs.other.accounts = "acne": there is no such account
      did you mean "acme"? the accounts are acme
    "#);
    insta::assert_snapshot!(parse(&format!("jobs_dir = \"nowhere\"\n{MINIMAL}")).expect_err("no folder"), @r#"
    the configuration has a problem; nothing was asked of the vendor

    /etc/bss/bss-sync.toml line 1: jobs_dir = "/etc/bss/nowhere": this folder cannot be read: No such file or directory (os error 2)
      check the path and its permissions
    "#);
}

#[test]
fn a_configuration_is_looked_for_in_two_places() {
    let folder = tempfile::tempdir().expect("a folder");
    let (here, system) = (folder.path().join("here.toml"), folder.path().join("system.toml"));
    let places = [here.as_path(), system.as_path()];
    let nothing = find(
        None,
        &Environment::default(),
        [Path::new("./bss-sync.toml.none"), Path::new("/nowhere/config.toml")],
    );
    insta::assert_snapshot!(ConfigError(vec![nothing.expect_err("none")]), @r#"
    the configuration has a problem; nothing was asked of the vendor

    configuration: there is neither ./bss-sync.toml.none nor /nowhere/config.toml
      name a file with --config FILE, or write one of the two:

        [warehouse]
        path = "billing.sqlite"

        [accounts.acme]
        site = "china"
        access_key = { env = "BSS_ACCESS_KEY" }
        secret_key = { env = "BSS_SECRET_KEY" }
    "#);
    std::fs::write(&system, "").expect("written");
    assert_eq!(find(None, &Environment::default(), places), Ok(system.clone()));
    std::fs::write(&here, "").expect("written");
    assert_eq!(find(None, &Environment::default(), places), Ok(here.clone()));
    let variable = Environment::of([("BSS_SYNC_CONFIG", "/variable.toml")]);
    assert_eq!(find(None, &variable, places), Ok(PathBuf::from("/variable.toml")));
    assert_eq!(find(Some(Path::new("/flag.toml")), &variable, places), Ok(PathBuf::from("/flag.toml")));
    assert!(find(None, &Environment::of([("BSS_SYNC_CONFIG", "")]), places).is_err());
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let flags = Flags { file: Some(Path::new("/nowhere/x.toml")), set: &[], ..Flags::default() };
    let error = Config::load(flags, &Environment::default(), KNOWN).expect_err("not there");
    insta::assert_snapshot!(error, @r#"
    the configuration has a problem; nothing was asked of the vendor

    /nowhere/x.toml: this file cannot be read: No such file or directory (os error 2)
      check the path and its permissions
    "#);
}

#[test]
fn whoever_only_looks_needs_no_secret() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("bss-sync.toml");
    std::fs::write(&file, account("site = \"china\"\naccess_key.env = \"AK\"\nsecret_key.env = \"SK\""))
        .expect("written");
    let load = |secrets| {
        let flags = Flags { file: Some(&file), secrets, ..Flags::default() };
        Config::load(flags, &Environment::of([]), KNOWN)
    };
    assert!(load(Secrets::Read).is_err());
    let config = load(Secrets::Leave).expect("right but for its secrets");
    assert!(matches!(only(&config).profile.auth, Auth::Unread));
}
