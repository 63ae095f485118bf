//! No file makes a tool panic that reads it by its name: reports that are verified, scripts, models, foreign texts and
//! zips, rules, calendars; valid ones, mutated. `SOAK=n` looks n times as long, from another seed.

use std::{fs, path::Path};

use mes_core::dice::Draw;
use mes_golden::{market, shell};

/// Mutations of each file; a process each.
const MUTATIONS: usize = 25;

/// A file, and the line that reads it as `FILE`.
struct Case {
    name: &'static str,
    bytes: Vec<u8>,
    line: &'static str,
}

fn cases(folder: &Path) -> Vec<Case> {
    let rows: String = market::eventful(1).lines().take(2000).map(|line| format!("{line}\n")).collect();
    fs::write(folder.join("rows"), rows).expect("written");
    shell::ok(folder, "mes-bt rows --out report --journal journal > /dev/null", b"");
    let read = |path: &str| fs::read(folder.join(path)).expect(path);
    let shared = |path: &str| fs::read(shell::root().join(path)).expect(path);
    let bars = "time,open,high,low,close,volume\n2026-01-05 09:30:00,6900.25,6901,6900,6900.5,12\n".repeat(3);
    let import = "mes-fetch import --stamp open --interval 1m --tz America/New_York FILE";
    let case = |name, bytes, line| Case { name, bytes, line };
    vec![
        case("summary", read("report/summary.json"), "mes-bt verify FILE"),
        case("report", read("report/report.html"), "mes-bt verify FILE"),
        case("journal", read("journal"), "mes-risk explain FILE --all-trades"),
        case("rules", shared(market::RULES), "mes-bt --rules FILE rows"),
        case("costs", shared("pipelines/costs/owner.toml"), "mes-bt --costs FILE rows"),
        case("calendar", shared("data/cme_calendar.csv"), "mes-bt --calendar FILE rows"),
        case("model", shared("tools/mes-predict/tests/data/tiny.onnx"), "mes-predict inspect FILE"),
        case("text", bars.into_bytes(), import),
        case(
            "script",
            b"ts,p_dir,p_conf\n2026-02-23T14:00:20Z,1,0.9\n2026-02-23T14:01:20Z,-1,0.8\n".to_vec(),
            "mes-predict --rule script:FILE rows",
        ),
    ]
}

/// Changes a file in one to four places: bytes, words, a cut, a stretch doubled.
fn mutated(bytes: &[u8], draw: &mut Draw) -> Vec<u8> {
    const WORDS: [&[u8]; 6] = [b"-1", b"9223372036854775807", b"1e308", b"null", b"\"\x1b[2J\"", b"[[[["];
    let mut bytes = bytes.to_vec();
    for _ in 0..=draw.below(4) {
        let at = draw.below(bytes.len().max(1)).min(bytes.len());
        let end = (at + draw.below(12)).min(bytes.len());
        match draw.below(4) {
            0 => bytes[at..end].iter_mut().for_each(|byte| *byte ^= 1 << (at % 8)),
            1 => drop(bytes.splice(at..end, WORDS[draw.below(WORDS.len())].iter().copied())),
            2 if draw.below(4) == 0 => bytes.truncate(at),
            _ => {
                let doubled = bytes[at..end].to_vec();
                bytes.splice(at..at, doubled);
            }
        }
    }
    bytes
}

#[test]
fn mutated_files_never_make_a_tool_panic() {
    let folder = tempfile::tempdir().expect("a folder");
    let soak = mes_golden::soak();
    let seed = if soak.is_some() { u64::from(std::process::id()) } else { 1 };
    let mut draw = Draw::of(seed);
    for Case { name, bytes, line } in cases(folder.path()) {
        let run = |bytes: &[u8]| {
            fs::write(folder.path().join("file"), bytes).expect("written");
            let line = format!("ulimit -v 4000000; timeout 20 {} > /dev/null", line.replace("FILE", "file"));
            let output = shell::run(folder.path(), &line, b"");
            (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
        };
        for number in 0..MUTATIONS * soak.unwrap_or(1) {
            let changed = mutated(&bytes, &mut draw);
            let (code, stderr) = run(&changed);
            let fine =
                matches!(code, Some(0..=4)) && !stderr.contains("panicked") && !stderr.contains('\u{1b}');
            if !fine {
                let kept = std::env::temp_dir().join(format!("mes-fuzz-{name}-{seed}-{number}"));
                fs::write(&kept, &changed).expect("written");
                panic!("{line} ends with {code:?} on {}: {stderr}", kept.display());
            }
        }
    }
}
