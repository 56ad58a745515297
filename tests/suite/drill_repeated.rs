//! A drill that is run several times: the numbers of all runs, and what becomes of them when it is interrupted.

use crate::drill::{Lab, report};
use rustix::process::Signal;
use serde_json::{Value, json};

const PLANNED: &str = "drill failover --planned --warm-up 100ms --groups caught-up --json";

/// The drill's topics on the source.
fn topics(lab: &Lab) -> Vec<String> {
    let topics = lab.primary.topics().into_iter().map(|(name, _)| name);
    topics.filter(|name| name.contains("kmk-drill-")).collect()
}

/// Least, median and greatest are those of the runs' own numbers.
fn adds_up(repeated: &Value) {
    let runs = repeated["runs"].as_array().unwrap();
    let numbers = |of: &dyn Fn(&Value) -> Option<f64>| -> Value {
        let mut numbers: Vec<f64> = runs.iter().map(|run| of(run).unwrap()).collect();
        numbers.sort_by(f64::total_cmp);
        let middle = numbers.len() / 2;
        let median = if numbers.len() % 2 == 1 {
            numbers[middle]
        } else {
            f64::midpoint(numbers[middle - 1], numbers[middle])
        };
        json!({"least": numbers[0], "median": median, "greatest": numbers[numbers.len() - 1]})
    };
    assert_eq!(
        repeated["rto_seconds"],
        numbers(&|run| run["rto"]["seconds"].as_f64())
    );
    assert_eq!(
        repeated["rpo_records"],
        numbers(&|run| run["rpo"]["records"].as_f64())
    );
    assert_eq!(
        repeated["rpo_seconds"],
        numbers(&|run| run["rpo"]["seconds"].as_f64())
    );
}

#[test]
fn each_run_begins_with_the_lab_as_it_was_and_the_numbers_of_all_are_told() {
    let lab = Lab::new();
    let line = format!("{PLANNED} --repeat 2 --report runs.json --report runs.html");
    let ran = lab.kmk.run(&line).code(0);
    let repeated = report(&ran);
    adds_up(&repeated);
    let runs = repeated["runs"].as_array().unwrap();
    assert_eq!((runs.len(), &repeated["passed"]), (2, &json!(true)));
    assert_ne!(runs[0]["topic"], runs[1]["topic"]);
    // only the last one is still there
    assert_eq!(topics(&lab), [runs[1]["topic"].as_str().unwrap()]);
    let written = |name: &str| std::fs::read_to_string(lab.kmk.work(name)).unwrap();
    let file: Value = serde_json::from_str(&written("runs.json")).unwrap();
    assert_eq!(file["rto_seconds"], repeated["rto_seconds"]);
    let page = written("runs.html");
    assert!(
        page.contains("2 runs") && page.contains("Run by run"),
        "{page}"
    );
}

#[test]
fn what_earlier_runs_have_measured_is_told_where_a_later_one_is_interrupted() {
    let lab = Lab::new();
    let running = lab.kmk.start(&format!("{PLANNED} --repeat 3"));
    running.until("the first run", || topics(&lab).len() == 1);
    let first = topics(&lab);
    running.until("the second run", || {
        let now = topics(&lab);
        now.len() == 1 && now != first
    });
    running.signal(Signal::INT);
    let ran = running.finish().code(130);
    let ran = ran.stderr_has("The drill was taken back: the lab is as it was before.\n");
    let ran = ran.stderr_has("1 of 3 runs was completed.\n");
    let repeated = report(&ran);
    adds_up(&repeated);
    assert_eq!(
        repeated["runs"][0]["topic"].as_str(),
        Some(first[0].as_str())
    );
    assert_eq!(topics(&lab), [""; 0]);
    lab.kmk.run("drill abort").code(2);
}

#[test]
fn ctrl_c_between_two_runs_lets_the_first_be_taken_back() {
    let lab = Lab::new();
    let running = lab.kmk.start(&format!("{PLANNED} --repeat 2"));
    running.until("the first run", || topics(&lab).len() == 1);
    running.until("it is taken back", || topics(&lab).is_empty());
    running.signal(Signal::INT);
    let ran = running.finish().code(130);
    ran.stderr_has("The drill was taken back: the lab is as it was before.\n")
        .stderr_has("1 of 2 runs was completed.\n");
    assert_eq!(topics(&lab), [""; 0]);
    lab.kmk.run("drill abort").code(2);
}
