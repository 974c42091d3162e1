//! The bodies of evaluation requests, in Flagr's words; members that would be zero are left out.

use vexilla_domain::json::{write_string, write_value};
use vexilla_domain::{Batch, Context, Debug, FlagRef, SelectedBy, TagsOperator, Value};

/// The body of `POST /evaluation`. The numbers of the context keep their text.
pub(crate) fn evaluation(flag: FlagRef<'_>, context: &Context, debug: Debug) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    let mut members = Members::new(&mut out);
    members.entity(context);
    members.debug(debug);
    if flag.id != 0 {
        members.name("flagID").extend_from_slice(flag.id.to_string().as_bytes());
    }
    if !flag.key.is_empty() {
        write_string(members.name("flagKey"), flag.key);
    }
    members.end();
    out
}

/// The body of `POST /evaluation/batch` for some entities and some selected flags of a batch.
pub(crate) fn batch(batch: &Batch<'_>, entities: &[Context], selected: &[SelectedBy]) -> Vec<u8> {
    let mut out = Vec::with_capacity(256 * (entities.len() + 1));
    let mut members = Members::new(&mut out);
    list(members.name("entities"), entities, |out, context| {
        let mut members = Members::new(out);
        members.entity(context);
        members.end();
    });
    members.debug(batch.debug);

    // An empty list is an error to Flagr.
    let ids: Vec<u64> = selected.iter().filter_map(|it| id(*it)).collect();
    if !ids.is_empty() {
        list(members.name("flagIDs"), &ids, |out, id| {
            out.extend_from_slice(id.to_string().as_bytes());
        });
    }
    let keys: Vec<&str> = selected.iter().filter_map(|it| key(batch, *it)).collect();
    if !keys.is_empty() {
        list(members.name("flagKeys"), &keys, |out, key| write_string(out, key));
    }
    if selected.contains(&SelectedBy::Tags) {
        list(members.name("flagTags"), batch.flag_tags, |out, tag| write_string(out, tag));
        if batch.flag_tags_operator == TagsOperator::All {
            write_string(members.name("flagTagsOperator"), "ALL");
        }
    }
    members.end();
    out
}

/// The id that selects a flag, if an id does.
pub(crate) fn id(selected: SelectedBy) -> Option<u64> {
    match selected {
        SelectedBy::Id(id) => Some(id),
        SelectedBy::Key(_) | SelectedBy::Tags => None,
    }
}

/// The key that selects a flag, if a key does.
pub(crate) fn key<'a>(batch: &Batch<'a>, selected: SelectedBy) -> Option<&'a str> {
    match selected {
        SelectedBy::Key(index) => batch.flag_keys.get(index).map(|key| &**key),
        SelectedBy::Id(_) | SelectedBy::Tags => None,
    }
}

/// Writes the members of an object.
pub(crate) struct Members<'o> {
    out: &'o mut Vec<u8>,
    before: u8,
}

impl<'o> Members<'o> {
    pub(crate) fn new(out: &'o mut Vec<u8>) -> Self {
        Self { out, before: b'{' }
    }

    /// Opens a member; its value is to be written next.
    pub(crate) fn name(&mut self, name: &str) -> &mut Vec<u8> {
        self.out.push(self.before);
        self.before = b',';
        write_string(self.out, name);
        self.out.push(b':');
        self.out
    }

    fn entity(&mut self, context: &Context) {
        if !context.entity_id().is_empty() {
            write_string(self.name("entityID"), context.entity_id());
        }
        if !context.entity_type().is_empty() {
            write_string(self.name("entityType"), context.entity_type());
        }
        match context.attributes() {
            None | Some(Value::Null) => {}
            Some(attributes) => write_value(self.name("entityContext"), attributes),
        }
    }

    fn debug(&mut self, debug: Debug) {
        if debug == Debug::On {
            self.name("enableDebug").extend_from_slice(b"true");
        }
    }

    pub(crate) fn end(self) {
        if self.before == b'{' {
            self.out.push(b'{');
        }
        self.out.push(b'}');
    }
}

fn list<T>(out: &mut Vec<u8>, items: &[T], mut write: impl FnMut(&mut Vec<u8>, &T)) {
    out.push(b'[');
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write(out, item);
    }
    out.push(b']');
}

#[cfg(test)]
mod tests;
