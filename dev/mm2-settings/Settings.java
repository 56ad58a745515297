import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.connect.runtime.SourceConnectorConfig;
import org.apache.kafka.connect.runtime.rest.RestServerConfig;
import org.apache.kafka.storage.internals.log.LogConfig;

/** Prints every setting that MirrorMaker or a broker reads: "kind key type", as Kafka's own configuration definitions have them. */
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
        for (String key : LogConfig.configNames()) {
            line("topic", key, LogConfig.configType(key));
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
                line(kind, key, Optional.ofNullable(value.type));
            }
        });
    }

    private static void line(String kind, String key, Optional<ConfigDef.Type> type) {
        String name = type.map(known -> known.name().toLowerCase()).orElse("string");
        System.out.println(kind + " " + key + " " + name);
    }
}
