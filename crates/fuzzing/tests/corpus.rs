//! Everything a fuzzer found worth keeping, on every machine and at every change.

use std::path::Path;

#[test]
fn every_file_of_the_corpus_keeps_its_property() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus");
    for target in std::fs::read_dir(&corpus).unwrap() {
        let target = target.unwrap();
        let name = target.file_name().into_string().unwrap();
        let property = fuzzing::property(&name).unwrap_or_else(|| panic!("no property of the name {name}"));
        let files: Vec<_> = std::fs::read_dir(target.path()).unwrap().map(|file| file.unwrap().path()).collect();
        assert!(files.len() >= 20, "{name} has {} files", files.len());
        for file in files {
            let data = std::fs::read(&file).unwrap();
            // What fails is named.
            assert!(std::panic::catch_unwind(|| property(&data)).is_ok(), "fails: {}", file.display());
        }
    }
}

#[test]
fn every_target_of_the_fuzzer_has_its_property_and_its_corpus() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz");
    let targets: Vec<_> = std::fs::read_dir(fuzz.join("fuzz_targets")).unwrap().collect();
    assert_eq!(targets.len(), 7);
    for target in targets {
        let path = target.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        assert!(fuzzing::property(name).is_some(), "{name}");
        assert!(fuzz.join("corpus").join(name).is_dir(), "{name}");
    }
}
