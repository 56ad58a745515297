//! A flow that goes on, seen now and then: what is told, against what was lost.

use super::super::judge::{Ends, Facts, Replica};
use super::super::report::TopicState;
use super::*;
use proptest::prelude::*;

const OWN: &str = "kmk-verify";

/// A topic of one partition and its mirrored topic, and a MirrorMaker between them.
#[derive(Debug, Clone)]
struct World {
    id: u32,
    copy_id: u32,
    source: Ends,
    /// The last offset that was mirrored, and the one that is committed.
    mirrored: i64,
    committed: i64,
    copy: i64,
    /// Whether MirrorMaker has not read the topic since it was recreated.
    is_recreated: bool,
    /// Records that were on the source and will never be mirrored.
    lost: u64,
    now: i64,
    memory: Option<FlowMemory>,
    countable: bool,
}

impl World {
    fn new() -> Self {
        Self {
            id: 1,
            copy_id: 1,
            source: Ends { first: 0, end: 0 },
            mirrored: -1,
            committed: -1,
            copy: 0,
            is_recreated: false,
            lost: 0,
            now: 0,
            memory: None,
            countable: true,
        }
    }

    fn produce(&mut self, records: i64) {
        self.source.end += records;
    }

    fn mirror(&mut self, at_most: i64) {
        let finds_out = self.is_recreated && self.source.end > self.source.first;
        if finds_out {
            self.is_recreated = false;
            if self.mirrored >= self.source.end {
                self.mirrored = -1;
            } else {
                // it resumes from its old position
                self.lost += count(self.mirrored + 1);
            }
        }
        let at_most = at_most.max(i64::from(finds_out));
        let next = (self.mirrored + 1).max(self.source.first);
        let records = at_most.min(self.source.end - next);
        if records > 0 {
            self.lost += count(next - (self.mirrored + 1));
            self.mirrored = next + records - 1;
            self.copy += records;
        }
        if finds_out {
            // before the second look, which follows whatever looks like a loss
            self.commit();
        }
    }

    fn commit(&mut self) {
        self.committed = self.mirrored;
    }

    fn remove(&mut self, records: i64) {
        self.source.first = (self.source.first + records).min(self.source.end);
    }

    fn recreate(&mut self, records: i64) {
        self.commit();
        let mirrored = if self.is_recreated { -1 } else { self.mirrored };
        self.lost += count(self.source.end - (mirrored + 1));
        self.id += 1;
        self.is_recreated = true;
        self.source = Ends {
            first: 0,
            end: records,
        };
    }

    fn seen(&self) -> FlowLag {
        let facts = Facts {
            source: self.source,
            position: (self.committed >= 0).then_some(self.committed),
            copy: Replica::There(Ends {
                first: 0,
                end: self.copy,
            }),
        };
        let partition = PartitionLag::new(0, &facts, &facts.outlook(), None, 0);
        let topic = TopicLag {
            ids: Ids {
                source: Some(self.id.to_string()),
                target: Some(self.copy_id.to_string()),
            },
            ..TopicLag::new(("t", "a.t"), TopicState::Mirrored, 1, vec![partition])
        };
        FlowLag::new(("a", "b"), vec![topic])
    }

    /// A look, a minute after the one before; what it shows.
    fn look(&mut self) -> TopicLag {
        self.now += STALE + 1;
        let mut lag = self.seen();
        let known = Countable {
            records: self.countable,
            now: self.now,
        };
        if let Some(memory) = &self.memory {
            lag.topics[0].compare(memory, known);
        }
        let topic = lag.topics[0].clone();
        let before = self.memory.clone();
        let before = before.as_ref();
        if FlowMemory::is_outdated(before, &lag, OWN, self.now) {
            // by the time that it is written down, what was in flight is committed
            self.commit();
            let position = (self.committed >= 0).then_some(self.committed);
            let later = position.map(|position| (("t".to_owned(), 0), position));
            let later = later.into_iter().collect();
            let renewed = FlowMemory::renewed(before, &lag, (OWN, false), Some(&later), self.now);
            let text = serde_json::to_string(&renewed).unwrap();
            assert_eq!(serde_json::from_str::<FlowMemory>(&text).unwrap(), renewed);
            self.memory = Some(renewed);
        }
        topic
    }

    fn told(&mut self) -> Past {
        self.look().past.unwrap_or_default()
    }
}

#[test]
fn what_was_removed_before_it_was_copied_is_counted_after_mirrormaker_went_on() {
    let mut world = World::new();
    world.produce(100);
    world.mirror(100);
    world.commit();
    assert_eq!(world.told(), Past::default());
    world.produce(150);
    world.remove(200);
    world.produce(10);
    world.mirror(1_000);
    world.commit();
    let told = world.told();
    assert_eq!((told.never_copied, told.recreated), (100, false));
    assert!(told.is_loss() && told.since_ms < told.until_ms);
    assert_eq!(world.told(), told, "and at each look after that");
    // more of it, later
    world.produce(50);
    world.remove(110);
    world.produce(1);
    world.mirror(100);
    world.commit();
    assert_eq!(world.told().never_copied, 150);
}

#[test]
fn what_is_removed_after_it_was_copied_is_no_loss() {
    let mut world = World::new();
    world.produce(100);
    world.look();
    world.mirror(100);
    world.commit();
    world.remove(100);
    world.produce(1_000);
    world.mirror(1_000);
    world.commit();
    world.remove(900);
    assert_eq!(world.told(), Past::default());
}

#[test]
fn what_nobody_has_mirrored_yet_is_known_by_where_it_began() {
    let mut world = World::new();
    world.produce(100);
    world.look();
    world.remove(30);
    assert_eq!(world.look().never_copied, 30);
    world.mirror(100);
    world.commit();
    let seen = world.look();
    assert_eq!(
        (seen.never_copied, seen.past.unwrap().never_copied),
        (0, 30)
    );
}

#[test]
fn a_recreated_topic_is_reported_with_what_mirrormaker_passed_over() {
    let mut world = World::new();
    world.produce(100);
    world.mirror(100);
    world.commit();
    world.look();
    world.recreate(150);
    let stands = world.told();
    assert_eq!((stands.recreated, stands.never_copied), (true, 100));
    world.mirror(100);
    world.commit();
    assert_eq!(world.told(), stands);
    let mut other = World::new();
    other.produce(100);
    other.mirror(100);
    other.commit();
    other.look();
    other.recreate(20);
    other.mirror(100);
    other.produce(1_000);
    other.mirror(1_000);
    other.commit();
    let told = other.told();
    assert!(told.recreated && !told.is_loss() && !told.is_doubt());
    other.now += TOLD;
    assert_eq!(other.told(), Past::default(), "nothing of it is missing");
}

#[test]
fn an_end_that_moved_back_is_told() {
    let mut world = World::new();
    world.produce(100);
    world.mirror(50);
    world.commit();
    world.look();
    world.source.end = 80;
    assert_eq!(world.told().moved_back, 20);
    assert_eq!(world.told().moved_back, 20);
}

#[test]
fn where_offsets_hold_no_records_only_ids_and_ends_tell() {
    let mut world = World::new();
    world.countable = false;
    world.produce(100);
    world.mirror(40);
    world.commit();
    world.look();
    world.remove(80);
    world.mirror(100);
    world.commit();
    assert_eq!(world.told(), Past::default());
    world.recreate(200);
    let told = world.told();
    assert!(told.is_doubt() && told.never_copied == 0);
}

#[test]
fn what_a_person_was_told_of_is_told_no_more() {
    let mut world = World::new();
    world.produce(100);
    world.mirror(10);
    world.commit();
    world.look();
    world.remove(60);
    let lag = world.seen();
    world.memory.as_mut().unwrap().acknowledge(&lag);
    world.mirror(100);
    world.commit();
    assert_eq!(world.told(), Past::default());
    world.produce(20);
    world.remove(50);
    world
        .memory
        .as_mut()
        .unwrap()
        .removed("t", 0, world.source.first);
    world.produce(5);
    world.mirror(100);
    world.commit();
    assert_eq!(world.told(), Past::default());
    // and counting goes on
    world.produce(10);
    world.remove(25);
    world.produce(1);
    world.mirror(100);
    world.commit();
    assert_eq!(world.told().never_copied, 10);
}

#[test]
fn it_is_written_down_only_where_something_is_new_or_a_minute_has_passed() {
    let mut world = World::new();
    world.produce(10);
    world.look();
    let memory = world.memory.clone();
    let outdated = |world: &World, now| {
        let mut lag = world.seen();
        let known = Countable { records: true, now };
        lag.topics[0].compare(memory.as_ref().unwrap(), known);
        FlowMemory::is_outdated(memory.as_ref(), &lag, OWN, now)
    };
    let now = world.now;
    assert!(!outdated(&world, now + 10 * STALE), "nothing has moved");
    world.produce(10);
    world.mirror(20);
    world.commit();
    assert!(!outdated(&world, now + STALE));
    assert!(outdated(&world, now + STALE + 1));
    world.source.end = 5;
    assert!(outdated(&world, now));
    world.source.end = 20;
    world.id += 1;
    assert!(outdated(&world, now));
}

#[derive(Debug, Clone)]
enum Step {
    Produce(i64),
    Mirror(i64),
    Commit,
    Repeat(i64),
    Remove(i64),
    Recreate(i64),
    Look,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let one = prop_oneof![
        3 => (0i64..50).prop_map(Step::Produce),
        3 => (0i64..50).prop_map(Step::Mirror),
        2 => Just(Step::Commit),
        1 => (0i64..20).prop_map(Step::Repeat),
        2 => (0i64..60).prop_map(Step::Remove),
        1 => (0i64..200).prop_map(Step::Recreate),
        2 => Just(Step::Look),
    ];
    prop::collection::vec(one, 0..60)
}

/// What is told in the end, and the world.
fn lived(steps: Vec<Step>) -> (u64, World) {
    let mut world = World::new();
    world.look();
    for step in steps {
        match step {
            Step::Produce(records) => world.produce(records),
            Step::Mirror(records) => world.mirror(records),
            Step::Commit => world.commit(),
            Step::Repeat(records) => world.copy += records,
            Step::Remove(records) => world.remove(records),
            Step::Recreate(records) => world.recreate(records),
            Step::Look => drop(world.look()),
        }
    }
    world.produce(1);
    world.mirror(10_000);
    world.commit();
    (world.told().never_copied, world)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_more_is_told_than_was_lost(steps in steps()) {
        let (told, world) = lived(steps);
        prop_assert!(told <= world.lost, "{told} told, {} lost", world.lost);
    }

    #[test]
    fn all_is_told_where_nothing_is_repeated_or_in_flight(mut steps in steps()) {
        steps.retain(|step| !matches!(step, Step::Repeat(_) | Step::Recreate(_)));
        let with_commit = |step| match step {
            Step::Look => vec![Step::Commit, Step::Look],
            step => vec![step],
        };
        let steps = steps.into_iter().flat_map(with_commit).collect();
        let (told, world) = lived(steps);
        prop_assert_eq!(told, world.lost);
    }
}
