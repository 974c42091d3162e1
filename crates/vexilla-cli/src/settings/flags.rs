//! A flag for each setting.

use std::collections::BTreeMap;

use clap::builder::ValueParser;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, Error, FromArgMatches};

use super::found::Given;
use super::parts;
use super::raw::{Origin, Raw};
use super::table::{Part, Setting};

/// The settings that the command line gives.
#[derive(Debug, Clone, Default)]
pub(crate) struct Flags(pub(crate) BTreeMap<String, Given>);

impl Args for Flags {
    fn augment_args(command: Command) -> Command {
        let mut command = command;
        for part in of_serve() {
            let heading = format!("Settings of `{}`", part.name);
            for setting in &part.settings {
                let args = [flag(setting), no_flag(setting)].into_iter().flatten();
                command = command.args(args.map(|it| {
                    if setting.more.common { it } else { it.help_heading(heading.clone()) }
                }));
            }
        }
        command
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Flags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let mut given = BTreeMap::new();
        for setting in of_serve().iter().flat_map(|it| &it.settings) {
            if let Some(flag) = setting.more.no_flag
                && matches.get_flag(flag)
            {
                given.insert(setting.path.clone(), text(flag, "false"));
            }
            if let Some(flag) = setting.flag()
                && let Some(value) = matches.get_one::<String>(&flag)
            {
                given.insert(setting.path.clone(), text(&flag, value));
            }
        }
        Ok(Self(given))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        self.0.extend(Self::from_arg_matches(matches)?.0);
        Ok(())
    }
}

impl Flags {
    /// Sets what a flag of every command says.
    pub(crate) fn set(&mut self, flag: &str, path: &str, value: Option<&str>) {
        self.0.extend(value.map(|it| (path.to_owned(), text(flag, it))));
    }
}

/// The log's flags are those of every command.
fn of_serve() -> Vec<Part> {
    parts().into_iter().filter(|it| it.name != "log").collect()
}

/// A value of a flag.
pub(super) fn text(flag: &str, value: &str) -> Given {
    Given { raw: Raw::Text(value.to_owned()), origin: Origin::Flag(flag.to_owned()) }
}

/// Takes any text: an error of the argument parser would repeat it.
fn flag(setting: &Setting) -> Option<Arg> {
    let flag = setting.flag()?;
    let arg = Arg::new(flag.clone())
        .long(flag)
        .help(help(setting))
        .hide_short_help(!setting.more.common)
        .value_parser(ValueParser::string());
    Some(if setting.switch {
        let arg = arg.num_args(0..=1).require_equals(true);
        arg.default_missing_value("true").value_name("BOOL")
    } else {
        arg.value_name(setting.more.value.unwrap_or("VALUE"))
    })
}

fn no_flag(setting: &Setting) -> Option<Arg> {
    let (flag, yes) = (setting.more.no_flag?, setting.flag()?);
    let help = format!("The same as `--{yes}=false`");
    Some(Arg::new(flag).long(flag).help(help).action(ArgAction::SetTrue).conflicts_with(yes))
}

fn help(setting: &Setting) -> String {
    match setting.default_text().as_str() {
        "" | "none" => setting.doc.clone(),
        default => format!("{} [default: {default}]", setting.doc),
    }
}
