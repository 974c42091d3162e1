//! The reference of all settings: `vexilla.example.toml` and `docs/configuration.md`.

use std::fmt::Write;

use super::kind::Shown;
use super::parts;
use super::table::Setting;

impl Setting {
    /// The default in words.
    pub(crate) fn default_text(&self) -> String {
        match &self.default {
            Shown::Toml(value) => value.trim_matches('"').to_owned(),
            Shown::Unset | Shown::Hidden(_) | Shown::File { .. } => {
                self.more.unset.replace('`', "")
            }
        }
    }
}

/// The file with every setting in it, all of them commented out.
pub(crate) fn example() -> String {
    let mut text = String::from(EXAMPLE);
    for part in parts() {
        let _ = write!(text, "\n# {}.\n[{}]\n", part.doc, part.name); // writing to memory does not fail
        for setting in &part.settings {
            text.push('\n');
            let what = format!("{}. {}{}.", setting.doc, capital(&setting.shape), notes(setting));
            for line in wrapped(&what, 98) {
                let _ = writeln!(text, "# {line}");
            }
            let _ = match &setting.default {
                Shown::Toml(value) => writeln!(text, "# {} = {value}", setting.key()),
                _ => writeln!(text, "# {} = # default: {}", setting.key(), setting.default_text()),
            };
        }
    }
    text
}

const EXAMPLE: &str = "\
# Every setting of `vexilla serve`, with its default. Give the file as `--config FILE` or in
# VEXILLA_CONFIG. Variables go before it (`VEXILLA_FLAGR__URL` for `url` in `[flagr]`), flags before
# them. `vexilla serve --print-config` tells what each setting is in the end, and why.
#
# Durations are written as `500ms`, `30s`, `5m` or `1h 30m`, sizes as `64KiB`, `32MiB`, `1GiB` or in
# bytes. An empty text stands for none.
#
# `vexilla config-reference --example` writes this file.
";

/// All settings as Markdown.
pub(crate) fn markdown() -> String {
    let mut text = String::from(MARKDOWN);
    for part in parts() {
        let _ = write!(text, "\n## `[{}]`\n\n{}.\n", part.name, part.doc);
        for setting in &part.settings {
            let _ = write!(text, "\n### `{}`\n\n{}.\n\n", setting.path, setting.doc);
            let _ = writeln!(text, "- Kind: {}", setting.shape);
            let _ = match &setting.default {
                Shown::Toml(value) => writeln!(text, "- Default: `{value}`"),
                _ => writeln!(text, "- Default: {}", setting.more.unset),
            };
            let alias = setting.more.alias.map(|it| format!(" or `{it}`")).unwrap_or_default();
            let _ = writeln!(text, "- Variable: `{}`{alias}", setting.variable());
            if let Some(flag) = setting.flag() {
                let no = setting.more.no_flag.map(|it| format!(", `--{it}`")).unwrap_or_default();
                let _ = writeln!(text, "- Flag: `--{flag}`{no}");
            }
            if setting.more.live {
                let _ = writeln!(text, "- Read again at a SIGHUP");
            }
        }
    }
    text
}

const MARKDOWN: &str = "\
# Configuration

Every setting can be given in a file, in the environment and on the command line of `vexilla serve`.
The command line goes before the environment, the environment before the file.
The file is [TOML](https://toml.io), named by `--config FILE` or by the variable `VEXILLA_CONFIG`.
`vexilla.example.toml` holds every setting with its default.
`vexilla serve --print-config` prints what each setting is in the end and where that comes from, as a file that gives the same configuration, secrets apart.

- A variable is `VEXILLA_` and the path in capitals, with `__` for each dot: `VEXILLA_FLAGR__URL` for `flagr.url`. An empty variable sets nothing.
- A flag is the path with dashes: `--flagr-connect-timeout`. `vexilla serve --help` lists all of them, `-h` those that are used most. A switch stands for `true` without a value.
- Durations are written as `500ms`, `30s`, `5m` or `1h 30m`, sizes as `64KiB`, `32MiB`, `1GiB` or in bytes.
- A list of texts is written in a variable or a flag with commas between the texts, or as a list in TOML.
- A secret is no flag, since everybody on the machine can read those. It may be in a file that `…_file` names, of up to 64 KiB; to give both is an error. An empty text stands for none.
- The other files that settings name are relative to the folder that the program is started in.
- An unknown setting is an error, in the file and among the variables that begin with `VEXILLA_`. Those that Kubernetes makes of a service called `vexilla` are left alone.
- The other commands take `--config`, the settings of `[flagr]` and those of `[log]` too.

At a SIGHUP the file is read anew, and so are the files that it names, with secrets and with certificates. Settings that are marked so change at once. For each other one that changed, the log says that it takes effect at the next start only. A file in which anything is wrong changes nothing, and the log says what. Certificates and keys of the listeners are read anew whenever their files change.
";

fn notes(setting: &Setting) -> String {
    let live = if setting.more.live { "; read again at a SIGHUP" } else { "" };
    let alias = setting.more.alias.map(|it| format!("; also {it}")).unwrap_or_default();
    format!("{alias}{live}")
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect()
}

/// The words in lines of this width.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}
