//! Settings whose values nobody else should see.

use super::{Piece, Spec, pieces};
use std::collections::BTreeMap;

/// Stands where a secret stood.
const HIDDEN: &str = "(secret)";

/// Whether a setting of that name holds a secret.
pub fn is_secret(key: &str) -> bool {
    let secrets = ["password", "secret", "sasl.jaas.config", "ssl.keystore.key"];
    secrets.iter().any(|end| key.ends_with(end))
}

impl Spec {
    /// The same, to be shown to others: secrets are hidden, references to variables stay.
    #[must_use]
    pub fn without_secrets(&self) -> Self {
        let mut spec = self.clone();
        for cluster in &mut spec.clusters {
            hide(&mut cluster.settings);
            hide(&mut cluster.properties);
        }
        for flow in &mut spec.flows {
            hide(&mut flow.settings);
        }
        spec
    }
}

fn hide(settings: &mut BTreeMap<String, String>) {
    for (key, value) in settings {
        if is_secret(key) && !is_reference(value) {
            HIDDEN.clone_into(value);
        }
    }
}

/// Whether nothing of it is written out.
fn is_reference(value: &str) -> bool {
    let pieces = pieces(value).unwrap_or_default();
    !pieces.is_empty()
        && pieces
            .iter()
            .all(|piece| matches!(piece, Piece::Variable(_)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::spec::scenario;

    #[test]
    fn a_secret_is_hidden_and_its_name_stays() {
        let mut spec = scenario::dr("demo");
        let settings = [
            (
                "sasl.jaas.config",
                "x required username=\"${env:U}\" password=\"hunter2\";",
            ),
            ("ssl.truststore.password", "${env:TRUST}"),
            ("listener.name.x.ssl.keystore.key", "-----BEGIN hunter2"),
            ("oauth.client.secret", "hunter2"),
            ("security.protocol", "SASL_SSL"),
        ]
        .map(|(key, value)| (key.to_owned(), value.to_owned()));
        spec.clusters[0].properties = settings.clone().into();
        spec.clusters[1].settings = settings.clone().into();
        spec.flows[0].settings = settings.into();
        let shown = spec.without_secrets();
        let text = serde_json::to_string(&shown).unwrap();
        assert!(!text.contains("hunter2"), "{text}");
        let properties = &shown.clusters[0].properties;
        assert_eq!(properties["ssl.truststore.password"], "${env:TRUST}");
        assert_eq!(properties["security.protocol"], "SASL_SSL");
        assert_eq!(properties["sasl.jaas.config"], HIDDEN);
        assert_eq!(properties.len(), 5);
    }
}
