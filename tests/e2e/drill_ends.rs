//! Failovers that end early, at each of their steps: by Ctrl-C, and by a kill of kmk. The lab is as it was afterwards.

use crate::drill::{taken_back, whole};
use crate::lab::Lab;
use kafka_mirror_kit::core::lab::drill::{FailoverStep, Fault};
use rustix::process::Signal;

/// From the first step that differs from those of a source that is killed.
fn its_own(fault: Fault, observed: bool) -> Vec<FailoverStep> {
    let steps = FailoverStep::all_of(fault, observed, false).into_iter();
    let common = [
        FailoverStep::CreateTopics,
        FailoverStep::SteadyState,
        FailoverStep::WarmUp,
    ];
    steps.filter(|step| !common.contains(step)).collect()
}

fn interrupted(lab: &Lab, line: &str, steps: &[FailoverStep]) {
    for step in steps {
        println!("Ctrl-C at: {}", step.beginning());
        let mut running = lab.start(line);
        running.until_it_says(step.beginning());
        running.interrupt();
        let ended = running.finish().code(130);
        ended.says("The drill was taken back: the lab is as it was before.");
        whole(lab);
        lab.kmk("drill abort").code(2).says("has no drill");
    }
}

fn killed(lab: &Lab, line: &str, steps: &[FailoverStep]) {
    for step in steps {
        println!("killed at: {}", step.beginning());
        let mut running = lab.start(line);
        running.until_it_says(step.beginning());
        running.signal(Signal::KILL);
        drop(running);
        taken_back(lab);
    }
}

mod matrix {
    use super::*;

    const KILL: &str = "drill failover --warm-up 1s --detect 1s --decide 1s";
    const PLANNED: &str = "drill failover --planned --warm-up 1s";
    const CUT: &str = "drill failover --fault cut --warm-up 1s --detect 1s";
    const HALF_OPEN: &str = "drill failover --fault half-open --warm-up 1s --detect 1s";
    const OBSERVED: &str =
        "drill failover --observe orders --warm-up 1s --detect 1s --switch-within 2s";

    #[test]
    #[ignore = "needs Docker"]
    fn ctrl_c_at_each_step_of_a_failover_from_a_source_that_is_killed() {
        let lab = Lab::deployed("ends-kill", "");
        interrupted(&lab, KILL, &FailoverStep::all_of(Fault::Kill, false, true));
    }

    #[test]
    #[ignore = "needs Docker"]
    fn a_kmk_that_is_killed_at_each_step_of_a_failover_from_a_source_that_is_killed() {
        let lab = Lab::deployed("dies-kill", "");
        killed(&lab, KILL, &FailoverStep::all_of(Fault::Kill, false, true));
    }

    #[test]
    #[ignore = "needs Docker"]
    fn a_planned_failover_that_ends_early() {
        let lab = Lab::deployed("ends-planned", "");
        let steps = its_own(Fault::Planned, false);
        interrupted(&lab, PLANNED, &steps);
        killed(&lab, PLANNED, &steps);
    }

    #[test]
    #[ignore = "needs Docker"]
    fn a_failover_over_a_cut_link_that_ends_early() {
        let lab = Lab::deployed("ends-cut", "");
        let steps = its_own(Fault::Cut, false);
        interrupted(&lab, CUT, &steps);
        killed(&lab, CUT, &steps);
    }

    #[test]
    #[ignore = "needs Docker"]
    fn a_failover_over_a_half_open_link_that_ends_early() {
        let lab = Lab::deployed("ends-half", "--link rtt=20ms");
        let steps = its_own(Fault::HalfOpen, false);
        interrupted(&lab, HALF_OPEN, &steps);
        killed(&lab, HALF_OPEN, &steps);
        lab.kmk("link show").code(0).prints("connected");
    }

    #[test]
    #[ignore = "needs Docker"]
    fn a_failover_that_is_observed_and_ends_early() {
        let lab = Lab::deployed("ends-observed", "");
        lab.kmk("topic create orders").code(0);
        lab.kmk("produce orders --messages 10").code(0);
        lab.kmk("consume primary.orders --cluster secondary --messages 10")
            .code(0);
        for (line, fault) in [
            (OBSERVED.to_owned(), Fault::Kill),
            (format!("{OBSERVED} --planned"), Fault::Planned),
        ] {
            println!("{fault:?}");
            let steps = its_own(fault, true);
            interrupted(&lab, &line, &steps);
            let only = [
                FailoverStep::Fence,
                FailoverStep::Observe,
                FailoverStep::ReadBothSides,
            ];
            let steps: Vec<FailoverStep> = steps
                .into_iter()
                .filter(|step| only.contains(step))
                .collect();
            killed(&lab, &line, &steps);
        }
        assert_eq!(lab.primary().end("orders"), 10);
        assert_eq!(lab.secondary().end("primary.orders"), 10);
    }
}
