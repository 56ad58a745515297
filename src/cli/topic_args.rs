//! Topic arguments: positional, or with `-t`.

use kmk_kafka::message::check_topic_name;

/// One topic.
#[derive(clap::Args)]
pub(super) struct OneTopic {
    /// The topic
    #[arg(value_name = "TOPIC", value_parser = topic_name, required_unless_present = "topic")]
    bare: Option<String>,
    /// The topic, as a flag
    #[arg(long, short, value_name = "TOPIC", value_parser = topic_name, conflicts_with = "bare")]
    topic: Option<String>,
}

/// One topic, or what the verb does without.
#[derive(clap::Args)]
pub(super) struct MaybeTopic {
    /// Only this topic
    #[arg(value_name = "TOPIC", value_parser = topic_name)]
    bare: Option<String>,
    /// The topic, as a flag
    #[arg(long, short, value_name = "TOPIC", value_parser = topic_name, conflicts_with = "bare")]
    topic: Option<String>,
}

/// One topic or more, each once.
#[derive(clap::Args)]
pub(super) struct SomeTopics {
    /// The topics to read; a mirrored one is called SOURCE.TOPIC, such as primary.orders
    #[arg(value_name = "TOPIC", value_parser = topic_name, required_unless_present = "topic")]
    bare: Vec<String>,
    /// A topic, as a flag; may be given more than once
    #[arg(long, short, value_name = "TOPIC", value_parser = topic_name)]
    topic: Vec<String>,
}

impl OneTopic {
    pub(super) fn name(&self) -> &str {
        let name = self.bare.as_deref().or(self.topic.as_deref());
        name.expect("clap asks for one of them")
    }
}

impl MaybeTopic {
    pub(super) fn name(&self) -> Option<&str> {
        self.bare.as_deref().or(self.topic.as_deref())
    }
}

impl SomeTopics {
    pub(super) fn names(self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for name in self.bare.into_iter().chain(self.topic) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }
}

pub(super) fn topic_name(text: &str) -> Result<String, String> {
    check_topic_name(text)
        .map(|()| text.to_owned())
        .map_err(|error| error.to_string())
}
