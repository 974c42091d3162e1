//! Where the webhook listens.

use clap::Parser;

use super::webhook;
use crate::args::Cli;
use crate::settings::Outside;

#[track_caller]
fn check(arguments: &[&str], expected: Option<&str>) {
    let cli = Cli::parse_from(["vexilla", "serve"].iter().chain(arguments));
    let outside = Outside { flags: cli.flags().0, ..Outside::default() };
    let settings = outside.load().unwrap().settings;
    assert_eq!(webhook(&settings).map(|it| it.to_string()).as_deref(), expected);
}

#[test]
fn notifications_are_taken_where_a_flagr_sends_them() {
    let flagr = ["--flagr", "http://localhost:18000"];
    check(&flagr, Some("127.0.0.1:18001"));
    check(&[flagr[0], flagr[1], "--webhook-listen", "off"], None);
    check(&["--flags", "flags.json"], None);
    check(&["--flags", "flags.json", "--webhook-listen", "unix:/run/a"], Some("unix:/run/a"));
}
