//! What one types first, as people who know kcat and rpk do.

use crate::kcat::CROSSING;
use crate::lab::Lab;
use crate::process::Ran;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

#[test]
#[ignore = "needs Docker"]
fn what_one_types_first_does_what_it_says() {
    let lab = Lab::new("first");
    lab.deploy(r"--topics greet,a,b,payments\..*").code(0).says(
        "produce --lab $LAB greet --messages 10"
            .replace("$LAB", &lab.name)
            .as_str(),
    );
    let sh = |line: &str| lab.bash(&line.replace("kmk ", "kmk --lab $LAB "));

    println!("piped lines are the records");
    sh("echo hello | kmk produce greet").code(0);
    assert_eq!(lab.primary().values("greet"), ["hello"]);
    sh(": | kmk produce greet")
        .code(0)
        .prints("0 records acknowledged")
        .says("note: no lines in stdin, so nothing was sent");
    sh("grep nothing /dev/null | kmk produce not-made").code(0);
    assert!(!lab.primary().topics().contains_key("not-made"));
    sh("printf '7,seven\n' | kmk produce greet --key-separator ,").code(0);
    sh("(sleep 2.3; echo late) | kmk produce greet")
        .code(0)
        .says("waiting for lines on stdin");
    let records = lab.primary().read("greet", "%k=%s");
    assert_eq!(records, ["=hello", "7=seven", "=late"]);

    println!("what says otherwise is obeyed, and a sample only where nothing can be read");
    sh("echo unread | kmk produce greet --value said").code(0);
    sh("echo unread | kmk produce a -n 2").code(0);
    sh("kmk produce greet < /dev/null")
        .code(0)
        .says("note: sent a sample record, because stdin is empty (/dev/null)");
    sh("kmk produce greet <&-").code(0).says("a sample record");
    let values = lab.primary().values("greet");
    assert_eq!(values[3], "said");
    assert!(
        values[4..]
            .iter()
            .all(|value| value.starts_with("{\"id\":1,"))
    );
    assert_eq!((values.len(), lab.primary().values("a").len()), (6, 2));

    println!("where a topic is, is said at once");
    let since = Instant::now();
    sh("kmk consume greet")
        .code(2)
        .says("error: `greet` is on primary (`--cluster primary`); its mirrored topic here, on secondary, is `primary.greet`")
        .says("primary.greet --cluster secondary` reads the mirrored records")
        .says("greet --cluster primary` those on primary");
    assert!(since.elapsed() < Duration::from_secs(10), "no wait of 30 s");
    sh("kmk produce other --value x")
        .code(0)
        .says("note: no flow mirrors `other` from primary")
        .says("kmk explain");
    sh("kmk consume other")
        .code(2)
        .says("`other` is on primary (`--cluster primary`); no flow mirrors it to secondary");
    sh("kmk consume never --timeout 1s")
        .code(1)
        .says("there is no topic `never`");
    sh("kmk consume greet -c 10")
        .code(2)
        .says("`-n 10` for a number of records");
    let all = BTreeSet::from_iter(values);
    lab.secondary()
        .until_it_has("primary.greet", &all, CROSSING);
    sh("kmk topic describe primary.greet")
        .code(0)
        .prints("primary.greet on secondary: ");
    sh("kmk topic delete primary.greet")
        .code(2)
        .says("error: there is no topic `primary.greet` on primary\n  hint: it is on secondary: use --cluster secondary");
    sh("kmk consume greet -c primary --from 1000")
        .code(0)
        .says("no records in topic `greet` from offset 1000 on");
    sh("kmk consume primary.greet --from latest")
        .code(0)
        .says("no records in topic `primary.greet` after its current end\nhint: --follow waits for new records");
    sh("kmk topic create greet -c secondary").code(0);
    sh("kmk topic describe greet")
        .code(0)
        .prints("greet on primary: 1 partition, 1 replica, 6 records")
        .prints("\n\ngreet on secondary: 1 partition, 1 replica, 0 records");

    several_topics(&sh);

    println!("the lab of the environment");
    let said = lab.bash("eval \"$(kmk env --lab $LAB)\"; bash -c 'echo $PRIMARY_BOOTSTRAP'; kmk status -q | head -1");
    assert_eq!(said.code(0).lines()[0], lab.primary().0);
}

/// What `b` has two records of, and `greet` six.
fn several_topics(sh: &dyn Fn(&str) -> Ran) {
    println!("several topics at once");
    sh("printf 'b1\nb2\n' | kmk produce b").code(0);
    let read = sh("kmk consume b greet -c primary -f '%t %v'")
        .code(0)
        .lines();
    assert_eq!(read.len(), 8);
    let of_b: Vec<&String> = read.iter().filter(|line| line.starts_with("b ")).collect();
    assert_eq!(of_b, ["b b1", "b b2"]);
    let some = sh("kmk consume b greet -c primary -n 7").code(0).lines();
    assert_eq!(some.len(), 7);
    let once = sh("kmk consume b never -c primary --timeout 1s").code(1);
    assert_eq!(once.lines(), ["b1", "b2"], "each record once");
    sh("kmk consume primary.greet a --timeout 1s")
        .code(2)
        .says("`a` is on primary");
    sh("kmk consume b greet -c primary -n 9 --timeout 2s")
        .code(1)
        .says("read 8 of 9");
    let first = sh("kmk consume b greet -c primary -g readers -n 5")
        .code(0)
        .lines();
    let rest = sh("kmk consume -t b -t greet -c primary -g readers")
        .code(0)
        .lines();
    assert_eq!(
        (first.len(), rest.len()),
        (5, 3),
        "a group resumes at its committed offset"
    );
    sh("kmk group describe readers")
        .code(0)
        .prints("readers: Empty, 0 members, lag 0");
}
