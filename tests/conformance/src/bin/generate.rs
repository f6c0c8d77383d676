//! Writes the vectors: `cargo run -p countersign-conformance --bin generate`.

use std::{collections::BTreeMap, fs, io};

use countersign_conformance::{files, generator};

fn main() -> io::Result<()> {
    let mut count = 0;
    let mut attacks: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut written = Vec::new();
    for topic in generator::topics() {
        count += topic.vectors.len();
        for vector in &topic.vectors {
            for class in &vector.attacks {
                attacks
                    .entry(class.clone())
                    .or_default()
                    .push(vector.id.clone());
            }
        }
        let name = format!("{}.json", topic.topic);
        fs::write(files::vectors().join(&name), generator::text(&topic))?;
        written.push(name);
    }
    let attacks = serde_json::to_string_pretty(&attacks)? + "\n";
    fs::write(files::vectors().join("../attacks.json"), attacks)?;
    // Remove the file of a topic that no longer exists.
    for entry in fs::read_dir(files::vectors())? {
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
