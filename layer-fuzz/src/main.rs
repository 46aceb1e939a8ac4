//! For people: `layer-fuzz list`, `layer-fuzz seeds FOLDER`, and `layer-fuzz run TARGET FILE...`, which shows what an
//! input that a fuzzer found does, on a stable toolchain.

use std::path::Path;
use std::process::ExitCode;
use std::{env, fs, io};

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["list"] => {
            for target in layer_fuzz::TARGETS {
                println!("{} {}", target.name, target.max_len);
            }
            Ok(())
        }
        ["seeds", folder] => layer_fuzz::seeds::write(Path::new(folder)),
        ["run", target, files @ ..] => run(target, files),
        _ => {
            eprintln!("usage: layer-fuzz list | seeds FOLDER | run TARGET FILE...");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(target: &str, files: &[&str]) -> io::Result<()> {
    for file in files {
        let input = fs::read(file).map_err(|e| io::Error::new(e.kind(), format!("{file}: {e}")))?;
        layer_fuzz::run(target, &input);
        println!("{file}: passed");
    }
    Ok(())
}
