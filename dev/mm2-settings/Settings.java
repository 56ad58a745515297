import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.connect.runtime.SourceConnectorConfig;
import org.apache.kafka.connect.runtime.rest.RestServerConfig;
import org.apache.kafka.storage.internals.log.LogConfig;

/**
 * Prints every setting that MirrorMaker or a broker reads: "kind key type values", as Kafka's own configuration definitions
 * have them. Values are "=a,b" (one of these), "~A,B" (in any case of letters), "0..9" (a range, open or not), "filled" (a
 * list without empty entries) or "-" (any).
 */
public class Settings {
    private static final String MIRROR = "org.apache.kafka.connect.mirror.";

    public static void main(String[] arguments) throws Exception {
        ConfigDef rest = new ConfigDef();
        RestServerConfig.addPublicConfig(rest);
        Class<?> crypto = Class.forName("org.apache.kafka.connect.runtime.distributed.Crypto");
        Class<?> worker = Class.forName("org.apache.kafka.connect.runtime.distributed.DistributedConfig");
        Method ofWorker = worker.getDeclaredMethod("config", crypto);
        ofWorker.setAccessible(true);
        Field system = crypto.getDeclaredField("SYSTEM");
        system.setAccessible(true);

        print("top", (ConfigDef) method(MIRROR + "MirrorMakerConfig", "config").invoke(null), Set.of());
        // the workers of a dedicated MirrorMaker have no REST server of their own: their listeners are parsed and forgotten
        print("worker", (ConfigDef) ofWorker.invoke(null, system.get(null)), rest.names());
        print("source", field(MIRROR + "MirrorSourceConfig", "CONNECTOR_CONFIG_DEF"), Set.of());
        print("checkpoint", field(MIRROR + "MirrorCheckpointConfig", "CONNECTOR_CONFIG_DEF"), Set.of());
        print("heartbeat", field(MIRROR + "MirrorHeartbeatConfig", "CONNECTOR_CONFIG_DEF"), Set.of());
        print("connector", SourceConnectorConfig.configDef(), Set.of());
        print("filter", field(MIRROR + "DefaultTopicFilter$TopicFilterConfig", "DEF"), Set.of());
        print("filter", field(MIRROR + "DefaultGroupFilter$GroupFilterConfig", "DEF"), Set.of());
        print("filter", field(MIRROR + "DefaultConfigPropertyFilter$ConfigPropertyFilterConfig", "DEF"), Set.of());
        print("client", field(MIRROR + "MirrorClientConfig", "CLIENT_CONFIG_DEF"), Set.of());
        print("producer", ProducerConfig.configDef(), Set.of());
        print("consumer", ConsumerConfig.configDef(), Set.of());
        print("admin", AdminClientConfig.configDef(), Set.of());
        print("broker", field("org.apache.kafka.server.config.AbstractKafkaConfig", "CONFIG_DEF"), Set.of());
        Map<String, ConfigDef.ConfigKey> ofTopics = LogConfig.configKeys();
        for (String key : LogConfig.configNames()) {
            line("topic", key, LogConfig.configType(key), ofTopics.get(key).validator);
        }
    }

    private static ConfigDef field(String type, String name) throws Exception {
        Field field = Class.forName(type).getDeclaredField(name);
        field.setAccessible(true);
        return (ConfigDef) field.get(null);
    }

    private static Method method(String type, String name) throws Exception {
        Method method = Class.forName(type).getDeclaredMethod(name);
        method.setAccessible(true);
        return method;
    }

    private static void print(String kind, ConfigDef definition, Set<String> without) {
        new TreeMap<>(definition.configKeys()).forEach((key, value) -> {
            if (!without.contains(key)) {
                line(kind, key, Optional.ofNullable(value.type), value.validator);
            }
        });
    }

    private static void line(String kind, String key, Optional<ConfigDef.Type> type, ConfigDef.Validator validator) {
        String name = type.map(known -> known.name().toLowerCase(Locale.ROOT)).orElse("string");
        System.out.println(kind + " " + key + " " + name + " " + values(key, type.orElse(null), validator));
    }

    private static final Pattern RANGE = Pattern.compile("\\[(?:(-?[0-9.]+),)?\\.\\.\\.(?:,(-?[0-9.]+))?\\]");
    private static final Pattern WORDS = Pattern.compile("[^\\[]*\\[([^\\[\\]]+)\\]");

    /** What a validator takes: what it says of itself, as far as it then does so. */
    private static String values(String key, ConfigDef.Type type, ConfigDef.Validator validator) {
        if (validator == null) {
            return "-";
        }
        String said = validator.toString();
        Matcher range = RANGE.matcher(said);
        if (range.matches()) {
            return text(range.group(1)) + ".." + text(range.group(2));
        }
        Matcher words = WORDS.matcher(said);
        boolean isList = type == ConfigDef.Type.LIST;
        // versions have more spellings than those that are listed
        boolean isOpen = validator.getClass().getSimpleName().equals("MetadataVersionValidator");
        if (words.matches() && !isOpen && (isList || type == ConfigDef.Type.STRING)) {
            List<String> all = Arrays.asList(words.group(1).split(", "));
            // "by_duration:PnDTnHnMn.nS" is a form, not a word
            all.replaceAll(word -> word.contains(":") ? word.substring(0, word.indexOf(':')) + ":*" : word);
            List<String> plain = all.stream().filter(word -> !word.endsWith("*")).toList();
            if (plain.stream().allMatch(word -> takes(validator, key, isList, word)) && !takes(validator, key, isList, "?")) {
                boolean inAnyCase = plain.stream().allMatch(word -> takes(validator, key, isList, word.toLowerCase(Locale.ROOT))
                    && takes(validator, key, isList, word.toUpperCase(Locale.ROOT)));
                return (inAnyCase ? "~" : "=") + String.join(",", all);
            }
        }
        return isList && takes(validator, key, true, "x") && !takes(validator, key, true, "") ? "filled" : "-";
    }

    private static boolean takes(ConfigDef.Validator validator, String key, boolean isList, String value) {
        try {
            validator.ensureValid(key, isList ? List.of(value) : value);
            return true;
        } catch (RuntimeException refused) {
            return false;
        }
    }

    private static String text(String group) {
        return group == null ? "" : group;
    }
}
