//! What the first MirrorMaker has loaded, the next one starts from; and one that fits no more is no harm.

use crate::engine::{docker, docker_words, things};
use crate::lab::Lab;
use crate::process::{PATIENCE, until};
use std::collections::BTreeSet;

const ARCHIVES: &str = "/usr/logs/*.jsa";
/// The archives that a running JVM has mapped, each once.
const MAPPED: &str = "for process in /proc/[0-9]*; do case $(readlink $process/exe) in *java) \
                      grep -o '/usr/logs/.*jsa' $process/maps;; esac; done | sort -u";
const CRASH: &str = "for process in /proc/[0-9]*; do case $(readlink $process/exe) in *java) kill -ABRT ${process#/proc/};; esac; done";

mod matrix {
    use super::*;

    #[test]
    #[ignore = "needs Docker"]
    fn a_mirrormaker_starts_from_the_classes_of_an_earlier_one() {
        let lab = Lab::deployed("classes", "");
        let worker = lab.container("mm2-secondary");
        let run = |script: &str| docker_words(&["exec", &worker, "bash", "-c", script], b"");
        let starts_again = || {
            docker(&format!("restart -t 1 {worker}"));
            until("records cross again", PATIENCE, || {
                (lab.kmk("status --json").json()["healthy"] == true).then_some(())
            });
            run(MAPPED)
        };
        run(&format!("rm -f {ARCHIVES}"));
        assert_eq!(starts_again(), "");
        let archive = until("the classes are kept", PATIENCE, || {
            let found = run(&format!("ls {ARCHIVES} 2>/dev/null; true"));
            (!found.is_empty()).then_some(found)
        });
        assert_eq!(starts_again(), archive);

        println!("one that is damaged");
        run(&format!(
            "head -c 5000000 /dev/urandom >{archive}.new; mv -f {archive}.new {archive}"
        ));
        assert_eq!(starts_again(), "");

        println!("one with which Java may have crashed");
        run(CRASH);
        until("it is removed", PATIENCE, || {
            run(&format!("ls {ARCHIVES} 2>/dev/null; true"))
                .is_empty()
                .then_some(())
        });

        lab.kmk("destroy")
            .code(0)
            .says("volume kmk-classes is kept");
        let kept = things("label=kmk.classes");
        assert_eq!(kept, BTreeSet::from(["volume kmk-classes".to_owned()]));
    }
}
