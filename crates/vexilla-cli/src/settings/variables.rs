//! The environment's variables.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;

use super::found::{Given, Wrong};
use super::names::Names;
use super::raw::{Origin, Raw};
use super::table::{Part, Setting};

/// What all our variables begin with.
pub(crate) const PREFIX: &str = "VEXILLA_";
/// The variable that names the configuration file.
const CONFIG: &str = "VEXILLA_CONFIG";

/// The environment's variables that are ours by their names. Their values are not printed.
#[derive(Clone, Default)]
pub(crate) struct Variables(pub(crate) Vec<(String, OsString)>);

impl Variables {
    /// The file that a variable names, and the variable.
    pub(crate) fn config(&self) -> Option<(PathBuf, Origin)> {
        let (name, file) = self.0.iter().find(|(name, it)| name == CONFIG && !it.is_empty())?;
        Some((PathBuf::from(file), Origin::Variable(name.clone())))
    }
}

impl fmt::Debug for Variables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

/// What variables set. Those that are empty set nothing.
pub(crate) fn read(
    variables: &Variables,
    parts: &[Part],
    names: &Names,
) -> Result<BTreeMap<String, Given>, Wrong> {
    let by_name = by_name(parts);
    let mut given = BTreeMap::<String, Given>::new();
    for (variable, value) in variables.0.iter().filter(|(name, _)| name != CONFIG) {
        let origin = Origin::Variable(variable.clone());
        let Some(setting) = by_name.get(variable.as_str()) else {
            if is_of_kubernetes(variable) {
                continue;
            }
            let aliases: Vec<_> = by_name.keys().map(String::as_str).collect();
            let reason = names.unknown_variable(variable, &aliases);
            return Err(Wrong { origin, reason });
        };
        let Some(value) = value.to_str() else {
            return Err(Wrong { origin, reason: "is not UTF-8".to_owned() });
        };
        if value.is_empty() && !setting.keeps_empty {
            continue;
        }
        if let Some(Given { raw: Raw::Text(text), origin: other }) = given.get(&setting.path)
            && text != value
        {
            let reason = format!("says something else than the {other}, which is the same setting");
            return Err(Wrong { origin, reason });
        }
        given.insert(setting.path.clone(), Given { raw: Raw::Text(value.to_owned()), origin });
    }
    Ok(given)
}

/// All names of variables.
fn by_name(parts: &[Part]) -> BTreeMap<String, &Setting> {
    let mut by_name = BTreeMap::new();
    for setting in parts.iter().flat_map(|it| &it.settings) {
        by_name.insert(setting.variable(), setting);
        let Some(alias) = setting.more.alias else { continue };
        by_name.insert(alias.to_owned(), setting);
        let in_file = format!("{}_file", setting.path);
        if let Some(file) = parts.iter().flat_map(|it| &it.settings).find(|it| it.path == in_file) {
            by_name.insert(format!("{alias}_FILE"), file);
        }
    }
    by_name
}

/// Kubernetes gives every container variables for each service of its namespace: those of one called `vexilla…` look
/// like ours, `VEXILLA_SERVICE_HOST` and `VEXILLA_PORT_18100_TCP_ADDR` for instance.
fn is_of_kubernetes(variable: &str) -> bool {
    let begins_with_number = |it: &str| it.bytes().next().is_some_and(|it| it.is_ascii_digit());
    let is_port = |(at, found): (usize, &str)| match variable.get(at + found.len()..) {
        Some("") => true,
        Some(rest) => rest.strip_prefix('_').is_some_and(begins_with_number),
        None => false,
    };
    !variable.contains("__")
        && (variable.ends_with("_SERVICE_HOST")
            || variable.contains("_SERVICE_PORT")
            || variable.match_indices("_PORT").any(is_port))
}
