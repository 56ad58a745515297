//! A drill that is run several times on real clusters.

mod matrix {
    use crate::drill::{taken_back, whole};
    use crate::lab::Lab;
    use serde_json::Value;

    fn numbers(runs: &[Value], of: &str, which: &str) -> Vec<f64> {
        let mut numbers: Vec<f64> = runs
            .iter()
            .map(|run| run[of][which].as_f64().unwrap())
            .collect();
        numbers.sort_by(f64::total_cmp);
        numbers
    }

    #[test]
    #[ignore = "needs Docker"]
    fn several_runs_their_numbers_and_ctrl_c_in_and_between_them() {
        let lab = Lab::deployed("drill-repeat", "");
        let ran = lab
            .kmk(
                "drill failover --warm-up 1s --repeat 3 --json --report runs.json --report runs.md",
            )
            .code(0);
        let repeated = ran.json();
        let runs = repeated["runs"].as_array().unwrap();
        assert_eq!(runs.len(), 3);
        for (told, of, which) in [
            ("rto_seconds", "rto", "seconds"),
            ("rpo_records", "rpo", "records"),
            ("rpo_seconds", "rpo", "seconds"),
        ] {
            let own = numbers(runs, of, which);
            println!("  {told}: {own:?}");
            for (at, name) in ["least", "median", "greatest"].into_iter().enumerate() {
                assert_eq!(
                    repeated[told][name].as_f64(),
                    Some(own[at]),
                    "{told} {name}"
                );
            }
        }
        let written = |name: &str| std::fs::read_to_string(lab.home.path().join(name)).unwrap();
        let file: Value = serde_json::from_str(&written("runs.json")).unwrap();
        assert_eq!(file["rto_seconds"], repeated["rto_seconds"]);
        assert!(written("runs.md").contains("Run by run"));
        // of the three, only the last one is still there
        let topics = lab.primary().topics().into_keys();
        let left: Vec<String> = topics
            .filter(|name| name.starts_with("kmk-drill-"))
            .collect();
        assert_eq!(left, [runs[2]["topic"].as_str().unwrap()]);
        taken_back(&lab);

        for (where_, said) in [
            ("in the second run", "Waiting until applications notice"),
            ("between the runs", "Removing the drill's topics and groups"),
        ] {
            println!("Ctrl-C {where_}");
            let mut running =
                lab.start("drill failover --warm-up 1s --detect 1s --repeat 2 --json");
            // what the first run says too, it says once
            let times = if said.starts_with("Waiting") { 2 } else { 1 };
            running.until(said, |running| {
                running.stderr().matches(&format!("{said} ...")).count() == times
            });
            running.interrupt();
            let ran = running.finish().code(130);
            let ran = ran
                .says("The drill was taken back: the lab is as it was before.")
                .says("1 of 2 runs was completed.");
            assert_eq!(ran.json()["runs"].as_array().unwrap().len(), 1);
            whole(&lab);
        }
    }
}
