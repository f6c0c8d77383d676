//! Writes the vectors: `cargo run -p countersign-conformance --bin generate`.

use std::{collections::BTreeMap, fs, io, path::Path};

use countersign_conformance::{files, generator, vector::Topic};

fn main() -> io::Result<()> {
    let topics = generator::topics();
    let mut attacks: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for vector in topics.iter().flat_map(|topic| &topic.vectors) {
        for class in &vector.attacks {
            attacks
                .entry(class.clone())
                .or_default()
                .push(vector.id.clone());
        }
    }
    let attacks = serde_json::to_string_pretty(&attacks)? + "\n";
    fs::write(files::vectors().join("../attacks.json"), attacks)?;
    write(&files::vectors(), &topics)?;
    write(&files::operation(), &generator::operation())
}

/// Writes the files of a folder, and removes the file of a topic that no longer
/// exists.
fn write(folder: &Path, topics: &[Topic]) -> io::Result<()> {
    let mut count = 0;
    let mut written = Vec::new();
    for topic in topics {
        count += topic.vectors.len();
        let name = format!("{}.json", topic.topic);
        fs::write(folder.join(&name), generator::text(topic))?;
        written.push(name);
    }
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if !written
            .iter()
            .any(|name| entry.file_name() == name.as_str())
        {
            fs::remove_file(entry.path())?;
        }
    }
    println!("{count} vectors in {} files", written.len());
    Ok(())
}
