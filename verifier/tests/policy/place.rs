//! Reads and writes JSON values at JSON Pointers (RFC 6901).

use serde_json::Value;

pub(crate) fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

pub(crate) fn set(root: &mut Value, place: &str, value: Value) {
    if place.is_empty() {
        *root = value;
        return;
    }
    match parent(root, place) {
        (Value::Array(items), last) if last == "-" => items.push(value),
        (Value::Array(items), last) => items[last.parse::<usize>().unwrap()] = value,
        (Value::Object(members), last) => {
            members.insert(last, value);
        }
        _ => panic!("{place} is not in an array or an object"),
    }
}

pub(crate) fn remove(root: &mut Value, place: &str) {
    let (parent, last) = parent(root, place);
    assert!(
        parent.as_object_mut().unwrap().remove(&last).is_some(),
        "{place}"
    );
}

/// Returns the pointers of all objects.
pub(crate) fn objects(root: &Value) -> Vec<String> {
    let mut places = everywhere(root);
    places.retain(|place| root.pointer(place).unwrap().is_object());
    places
}

/// Returns the pointers of all values.
pub(crate) fn everywhere(root: &Value) -> Vec<String> {
    fn walk(value: &Value, place: &str, found: &mut Vec<String>) {
        let below =
            |token: &str| format!("{place}/{}", token.replace('~', "~0").replace('/', "~1"));
        found.push(place.to_owned());
        match value {
            Value::Object(members) => {
                members
                    .iter()
                    .for_each(|(name, value)| walk(value, &below(name), found));
            }
            Value::Array(items) => {
                let items = items.iter().enumerate();
                items.for_each(|(index, value)| walk(value, &below(&index.to_string()), found));
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    walk(root, "", &mut found);
    found
}

/// Returns the parent of a place, and the unescaped last token of its pointer.
fn parent<'v>(root: &'v mut Value, place: &str) -> (&'v mut Value, String) {
    let (parent, last) = place.rsplit_once('/').unwrap();
    (
        root.pointer_mut(parent).unwrap(),
        last.replace("~1", "/").replace("~0", "~"),
    )
}
