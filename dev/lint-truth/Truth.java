import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.lang.reflect.Field;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.function.BiFunction;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.config.AbstractConfig;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.types.Password;
import org.apache.kafka.common.utils.Utils;
import org.apache.kafka.connect.connector.policy.AllConnectorClientConfigOverridePolicy;
import org.apache.kafka.connect.connector.policy.ConnectorClientConfigOverridePolicy;
import org.apache.kafka.connect.health.ConnectorType;
import org.apache.kafka.connect.mirror.MirrorClientConfig;
import org.apache.kafka.connect.mirror.MirrorMakerConfig;
import org.apache.kafka.connect.mirror.SourceAndTarget;
import org.apache.kafka.connect.runtime.ConnectorConfig;
import org.apache.kafka.connect.runtime.SourceConnectorConfig;
import org.apache.kafka.connect.runtime.Worker;
import org.apache.kafka.connect.runtime.WorkerConfig;
import org.apache.kafka.connect.runtime.distributed.DistributedConfig;
import org.apache.kafka.connect.runtime.isolation.Plugins;
import org.apache.kafka.connect.runtime.rest.RestServerConfig;

/**
 * What each key of an mm2.properties file does, seen with Kafka's own classes: takes it away, and changes its value, and looks
 * at what each reader is given. Prints "key TAB effect TAB readers", then where `kmk lint` says something else.
 *
 * <p>Effects: "read"; "overridden, read", where keys that are nearer to a flow say it for each flow, which is no fault; "partly", where only clients beside the one that reads records and the one that writes them notice;
 * "ignored", where nobody notices. Readers are those that exist with this file.
 */
public class Truth {
    private static final String MIRROR = "org.apache.kafka.connect.mirror.";
    /** Clients of Connect that are there at times, and never carry a record. */
    private static final Set<String> BESIDE = Set.of("reader of Connect's offsets", "admin of Connect");
    private static final List<String> CONNECTORS =
        List.of(MIRROR + "MirrorSourceConnector", MIRROR + "MirrorCheckpointConnector", MIRROR + "MirrorHeartbeatConnector");
    private static final Plugins PLUGINS = new Plugins(Map.of("plugin.discovery", "service_load"));
    private static final ConnectorClientConfigOverridePolicy ANY = new AllConnectorClientConfigOverridePolicy();
    /** The findings of `kmk lint` that say that a key does nothing; others than these and "partly" are about values. */
    private static final Set<String> IGNORED = Set.of("unknown", "misplaced", "overruled", "shadowed", "not-enabled", "broker-setting",
        "topic-setting", "other-version", "unknown-alias", "self-flow", "space-in-key");

    /** Somebody who is given settings; `main` are those on whom the records depend. */
    private record Reader(String name, boolean main) {}

    public static void main(String[] arguments) throws Exception {
        String kmk = arguments[0];
        String version = arguments[1];
        int wrong = 0;
        for (String file : Arrays.copyOfRange(arguments, 2, arguments.length)) {
            System.out.println("# " + version + " " + Path.of(file).getFileName());
            Map<String, String> effects = effects(Utils.propsToStringMap(Utils.loadProps(file)));
            wrong += compare(effects, lint(kmk, version, file), version + " " + Path.of(file).getFileName());
        }
        System.exit(wrong == 0 ? 0 : 1);
    }

    private static Map<String, String> lint(String kmk, String version, String file) throws IOException {
        Process lint = new ProcessBuilder(kmk, "lint", "--json", "--kafka-version", version, file)
            .redirectError(ProcessBuilder.Redirect.DISCARD).start();
        Map<String, String> said = new HashMap<>();
        for (JsonNode finding : new ObjectMapper().readTree(lint.getInputStream()).get("findings")) {
            String problem = finding.get("problem").asText();
            if (IGNORED.contains(problem) || problem.equals("partly")) {
                said.put(finding.get("key").asText(), problem.equals("partly") ? problem : "ignored");
            }
        }
        return said;
    }

    private static int compare(Map<String, String> effects, Map<String, String> said, String where) {
        int wrong = 0;
        for (Map.Entry<String, String> effect : effects.entrySet()) {
            String lint = said.getOrDefault(effect.getKey(), "read");
            if (!lint.equals(effect.getValue().replace("overridden, ", ""))) {
                System.err.println(where + ": " + effect.getKey() + ": " + effect.getValue() + " in Kafka, " + lint + " in kmk lint");
                wrong++;
            }
        }
        return wrong;
    }

    private static Map<String, String> effects(Map<String, String> written) throws Exception {
        Map<String, String> props = withFlow(written);
        Set<String> aliases = maker(written).clusters();
        Map<Reader, Map<String, String>> before = given(props);
        Map<String, String> effects = new TreeMap<>();
        for (String key : new TreeSet<>(written.keySet())) {
            Set<Reader> readers = readers(props, before, key);
            String effect = effect(readers);
            if (!effect.equals("read")) {
                Map<String, String> farther = new HashMap<>(props);
                farther.keySet().removeIf(other -> nearness(other, aliases) > nearness(key, aliases)
                    && !other.matches(".*->[^.]*\\.(emit\\.heartbeats\\.)?enabled") && !other.endsWith(".bootstrap.servers"));
                Set<Reader> without = readers(farther, given(farther), key);
                effect = effect(without).equals(effect) ? effect : "overridden, " + effect(without);
            }
            effects.put(key, effect);
            String names = readers.stream().map(Reader::name).collect(Collectors.joining(", "));
            System.out.println(key + "\t" + effect + "\t" + (names.isEmpty() ? "nobody" : names));
        }
        return effects;
    }

    private static String effect(Set<Reader> readers) {
        return readers.isEmpty() ? "ignored" : readers.stream().anyMatch(Reader::main) ? "read" : "partly";
    }

    /** Who notices when a key is taken away, or has another value: what is as it would be without is read all the same. */
    private static Set<Reader> readers(Map<String, String> props, Map<Reader, Map<String, String>> before, String key)
            throws Exception {
        Map<String, String> without = new HashMap<>(props);
        without.remove(key);
        Map<String, String> changed = new HashMap<>(props);
        changed.put(key, another(props.get(key)));
        Set<Reader> readers = new TreeSet<>(Comparator.comparing(Reader::name));
        readers.addAll(differ(before, given(without)));
        readers.addAll(differ(before, given(changed)));
        return readers;
    }

    /** How much of MirrorMaker a key is about: all, a cluster, a flow. */
    private static int nearness(String key, Set<String> aliases) {
        return key.contains("->") ? 2 : aliases.stream().anyMatch(alias -> key.startsWith(alias + ".")) ? 1 : 0;
    }

    /** A file in which no flow is enabled is looked at as if all were: what else it says is meant for them. */
    private static Map<String, String> withFlow(Map<String, String> written) throws Exception {
        MirrorMakerConfig maker = maker(written);
        for (SourceAndTarget pair : maker.clusterPairs()) {
            Class<?> connector = Class.forName(CONNECTORS.get(0));
            if (Boolean.parseBoolean(maker.connectorBaseConfig(pair, connector).getOrDefault("enabled", "").trim())) {
                return written;
            }
        }
        Map<String, String> props = new HashMap<>(written);
        for (String source : maker.clusters()) {
            for (String target : maker.clusters()) {
                props.put(source + "->" + target + ".enabled", "true");
            }
        }
        return props;
    }

    private static MirrorMakerConfig maker(Map<String, String> props) {
        Map<String, String> quick = new HashMap<>(props);
        // without it every class of every jar is looked at, for each change
        quick.put("plugin.discovery", "service_load");
        quick.remove("plugin.path");
        return new MirrorMakerConfig(quick);
    }

    /** Values of which Kafka takes no others, each with its neighbour. */
    private static final List<List<String>> CHOICES = List.of(
        List.of("true", "false"), List.of("source", "target"), List.of("all", "1"), List.of("PLAINTEXT", "SSL"),
        List.of("SASL_SSL", "SASL_PLAINTEXT"), List.of("read_committed", "read_uncommitted"), List.of("enabled", "disabled"),
        List.of("latest", "earliest"));

    private static String another(String value) {
        if (!value.equals(value.trim())) {
            return value.trim();
        }
        for (List<String> choice : CHOICES) {
            if (choice.contains(value)) {
                return choice.get(1 - choice.indexOf(value));
            }
        }
        return value.matches("-?[0-9]+") ? Long.toString(Long.parseLong(value) + 1) : value + "-another";
    }

    private static Set<Reader> differ(Map<Reader, Map<String, String>> before, Map<Reader, Map<String, String>> after) {
        Set<Reader> readers = new HashSet<>(before.keySet());
        readers.addAll(after.keySet());
        Set<Reader> differ = new HashSet<>();
        for (Reader reader : readers) {
            Map<String, String> one = before.getOrDefault(reader, Map.of());
            Map<String, String> other = after.getOrDefault(reader, Map.of());
            Set<String> keys = new HashSet<>(one.keySet());
            keys.addAll(other.keySet());
            keys.removeIf(key -> Objects.equals(one.get(key), other.get(key)));
            if (!keys.isEmpty()) {
                // what every client has is needed to connect, whoever it is
                boolean common = !BESIDE.stream().anyMatch(reader.name()::endsWith) && keys.stream()
                    .anyMatch(key -> Arrays.stream(Clients.values()).allMatch(client -> client.names.contains(key)));
                differ.add(new Reader(reader.name(), reader.main() || common));
            }
        }
        return differ;
    }

    /** What each reader is given; an exception is an answer too. */
    private static Map<Reader, Map<String, String>> given(Map<String, String> props) throws Exception {
        Given given = new Given();
        MirrorMakerConfig maker;
        try {
            maker = maker(props);
        } catch (RuntimeException error) {
            return Map.of(new Reader("MirrorMaker", true), Map.of("exception", error.getMessage()));
        }
        Set<String> own = new HashSet<>(List.of("clusters", "config.providers", "dedicated.mode.enable.internal.rest"));
        given.read("MirrorMaker", true, () -> only(values(maker), name -> own.contains(name) || maker.enableInternalRest()));
        given.read("plugins of config providers", true, () -> only(props, name -> name.equals("plugin.path") || name.equals("plugin.discovery")));
        List<SourceAndTarget> pairs = new ArrayList<>();
        given.read("flows", true, () -> {
            pairs.addAll(maker.clusterPairs());
            return Map.of("pairs", new TreeSet<>(pairs.stream().map(Object::toString).toList()).toString());
        });
        for (SourceAndTarget pair : pairs) {
            worker(given, maker, pair);
        }
        return given.all;
    }

    private static void worker(Given given, MirrorMakerConfig maker, SourceAndTarget pair) {
        Map<String, String> props;
        DistributedConfig config;
        try {
            props = maker.workerConfig(pair);
            // the workers of a dedicated MirrorMaker have no REST server of their own
            ConfigDef rest = new ConfigDef();
            RestServerConfig.addPublicConfig(rest);
            props.keySet().removeAll(rest.names().stream().filter(name -> name.startsWith("listeners") || name.startsWith("rest.")
                || name.startsWith("access.") || name.startsWith("admin.listeners") || name.startsWith("response.")).toList());
            config = new DistributedConfig(props);
        } catch (RuntimeException error) {
            given.read(pair + " worker", true, () -> Map.of("exception", error.getMessage()));
            return;
        }
        given.read(pair + " worker", true, () -> {
            Map<String, String> read = values(config);
            for (String storage : List.of("offset", "config", "status")) {
                read.put(storage, invoke(config, storage + "StorageTopicSettings").toString());
            }
            for (String converter : List.of("key.converter.", "value.converter.", "header.converter.", "metrics.context.")) {
                read.put(converter, new TreeMap<>(config.originalsWithPrefix(converter)).toString());
            }
            return read;
        });
        given.clients(pair + " worker's own topics", false, new HashMap<>(config.originals()), Clients.values());
        boolean exactlyOnce = config.exactlyOnceSourceEnabled();
        for (String connector : CONNECTORS) {
            connector(given, maker, pair, config, exactlyOnce, connector);
        }
    }

    private static void connector(Given given, MirrorMakerConfig maker, SourceAndTarget pair, DistributedConfig worker,
                                  boolean exactlyOnce, String type) {
        String name = pair + " " + type.substring(type.lastIndexOf('.') + 1).replace("Connector", "");
        try {
            Map<String, String> base = maker.connectorBaseConfig(pair, Class.forName(type));
            @SuppressWarnings("unchecked")
            Map<String, String> props = (Map<String, String>) call(MirrorMakerConfig.class, "transform", 1).invoke(maker, base);
            String real = props.get("connector.class");
            String kind = real.substring(real.lastIndexOf('.') + 1).replaceAll("^Mirror|Connector$", "");
            AbstractConfig config = (AbstractConfig) Class.forName(MIRROR + "Mirror" + kind + "Config")
                .getConstructor(Map.class).newInstance(props);
            boolean beats = kind.equals("Heartbeat");
            if (!beats && !config.getBoolean("enabled")) {
                return;
            }
            if (beats && !config.getBoolean("emit.heartbeats.enabled")) {
                return;
            }
            boolean copies = kind.equals("Source");
            SourceConnectorConfig ofConnect = new SourceConnectorConfig(PLUGINS, props, worker.topicCreationEnable());
            given.read(name, true, () -> {
                Map<String, String> read = values(config);
                // defined, but clients connect as their clusters say
                read.keySet().removeAll(ofClients().names());
                read.putAll(values(ofConnect));
                return read;
            });
            if (!beats) {
                for (String filter : copies ? List.of("Topic", "ConfigProperty") : List.of("Topic", "Group")) {
                    given.read(name + "'s " + filter + "Filter", true, () -> {
                        Class<?> own = Class.forName(MIRROR + "Default" + filter + "Filter");
                        Object made = own.getConstructor().newInstance();
                        own.getMethod("configure", Map.class).invoke(made, config.originals());
                        Class<?> definition = Class.forName(own.getName() + "$" + filter + "FilterConfig");
                        var constructor = definition.getDeclaredConstructor(Map.class);
                        constructor.setAccessible(true);
                        return values((AbstractConfig) constructor.newInstance(config.originals()));
                    });
                }
                client(given, name + "'s source admin", true, Clients.ADMIN, config, "sourceAdminConfig");
            }
            client(given, name + "'s target admin", true, Clients.ADMIN, config, "targetAdminConfig");
            if (copies) {
                client(given, name + "'s consumer", true, Clients.CONSUMER, config, "sourceConsumerConfig");
                if (!Boolean.FALSE.equals(config.values().get("emit.offset-syncs.enabled"))) {
                    client(given, name + "'s producer of offset syncs", false, Clients.PRODUCER, config, "offsetSyncsTopicProducerConfig");
                    client(given, name + "'s admin of offset syncs", true, Clients.ADMIN, config, "offsetSyncsTopicAdminConfig");
                }
            } else if (!beats) {
                client(given, name + "'s reader of checkpoints", false, Clients.CONSUMER, config, "targetConsumerConfig");
                client(given, name + "'s reader of offset syncs", false, Clients.CONSUMER, config, "offsetSyncsTopicConsumerConfig");
            }
            ofWorker(given, name + "'s producer of Connect", copies, Clients.PRODUCER, worker, ofConnect, type, "baseProducerConfigs");
            boolean ownOffsets = exactlyOnce || ofConnect.offsetsTopic() != null;
            if (ownOffsets) {
                ofWorker(given, name + "'s reader of Connect's offsets", false, Clients.CONSUMER, worker, ofConnect, type, "regularSourceOffsetsConsumerConfigs");
            }
            if (ownOffsets || ofConnect.usesTopicCreation()) {
                ofWorker(given, name + "'s admin of Connect", false, Clients.ADMIN, worker, ofConnect, type, "adminConfigs");
            }
        } catch (ReflectiveOperationException | RuntimeException error) {
            given.read(name, true, () -> Map.of("exception", cause(error)));
        }
    }

    private static void client(Given given, String name, boolean main, Clients kind, AbstractConfig config, String method) {
        given.read(name, main, () -> {
            Method found = Arrays.stream(methods(config.getClass()))
                .filter(one -> one.getName().equals(method))
                .filter(one -> one.getParameterCount() == 0 || one.getParameterTypes()[0] == String.class)
                .findFirst().orElseThrow();
            found.setAccessible(true);
            Object[] role = found.getParameterCount() == 0 ? new Object[0] : new Object[] {"role"};
            @SuppressWarnings("unchecked")
            Map<String, Object> props = (Map<String, Object>) found.invoke(config, role);
            return kind.of(props);
        });
    }

    private static void ofWorker(Given given, String name, boolean main, Clients kind, DistributedConfig worker,
                                 ConnectorConfig config, String type, String method) {
        given.read(name, main, () -> {
            Method found = Arrays.stream(Worker.class.getDeclaredMethods())
                .filter(one -> one.getName().equals(method)).findFirst().orElseThrow();
            found.setAccessible(true);
            List<Object> arguments = new ArrayList<>(List.of("connector", "client", worker, config, Class.forName(type), ANY, "cluster"));
            if (found.getParameterCount() == 8) {
                arguments.add(ConnectorType.SOURCE);
            }
            @SuppressWarnings("unchecked")
            Map<String, Object> props = (Map<String, Object>) found.invoke(null, arguments.toArray());
            return kind.of(props);
        });
    }

    private enum Clients {
        PRODUCER(ProducerConfig.configNames(), (props, name) -> {
            // MirrorUtils gives these to the constructor
            props.put("key.serializer", "org.apache.kafka.common.serialization.ByteArraySerializer");
            props.put("value.serializer", "org.apache.kafka.common.serialization.ByteArraySerializer");
            return new ProducerConfig(props);
        }),
        CONSUMER(ConsumerConfig.configNames(), (props, name) -> {
            props.put("key.deserializer", "org.apache.kafka.common.serialization.ByteArrayDeserializer");
            props.put("value.deserializer", "org.apache.kafka.common.serialization.ByteArrayDeserializer");
            return new ConsumerConfig(props);
        }),
        ADMIN(AdminClientConfig.configNames(), (props, name) -> new AdminClientConfig(props));

        private final Set<String> names;
        private final BiFunction<Map<String, Object>, String, AbstractConfig> make;

        Clients(Set<String> names, BiFunction<Map<String, Object>, String, AbstractConfig> make) {
            this.names = names;
            this.make = make;
        }

        Map<String, String> of(Map<String, Object> props) {
            // without one each gets another, by number
            props.putIfAbsent("client.id", "client");
            AbstractConfig config = make.apply(props, name());
            Map<String, String> read = Truth.values(config);
            props.forEach((key, value) -> {
                if (key.startsWith("metrics.context.")) {
                    read.put(key, String.valueOf(value));
                }
            });
            return read;
        }
    }

    private static class Given {
        final Map<Reader, Map<String, String>> all = new HashMap<>();

        void read(String name, boolean main, Callable<Map<String, String>> what) {
            Map<String, String> read;
            try {
                read = what.call();
            } catch (Exception error) {
                read = Map.of("exception", cause(error));
            }
            all.put(new Reader(name, main), read);
        }

        void clients(String name, boolean main, Map<String, Object> props, Clients... kinds) {
            for (Clients kind : kinds) {
                read(name + " (" + kind.name().toLowerCase() + ")", main, () -> kind.of(new HashMap<>(props)));
            }
        }
    }

    private static String cause(Throwable error) {
        Throwable cause = error instanceof InvocationTargetException ? error.getCause() : error;
        return String.valueOf(cause);
    }

    private static ConfigDef ofClients() throws ReflectiveOperationException {
        Field field = MirrorClientConfig.class.getDeclaredField("CLIENT_CONFIG_DEF");
        field.setAccessible(true);
        return (ConfigDef) field.get(null);
    }

    private static Map<String, String> values(AbstractConfig config) {
        Map<String, String> values = new TreeMap<>();
        config.values().forEach((key, value) -> values.put(key, text(value)));
        return values;
    }

    private static String text(Object value) {
        if (value instanceof Password secret) {
            return secret.value();
        }
        if (value instanceof Class<?> type) {
            return type.getName();
        }
        if (value instanceof Collection<?> list) {
            return list.stream().map(Truth::text).toList().toString();
        }
        return String.valueOf(value);
    }

    private static Map<String, String> only(Map<String, String> all, java.util.function.Predicate<String> kept) {
        Map<String, String> some = new TreeMap<>(all);
        some.keySet().removeIf(kept.negate());
        return some;
    }

    private static Object invoke(Object on, String method) throws ReflectiveOperationException {
        return call(on.getClass(), method, 0).invoke(on);
    }

    private static Method call(Class<?> type, String name, int parameters) {
        Method found = Arrays.stream(methods(type))
            .filter(one -> one.getName().equals(name) && one.getParameterCount() == parameters).findFirst().orElseThrow();
        found.setAccessible(true);
        return found;
    }

    /** The type's own methods, then those above it. */
    private static Method[] methods(Class<?> type) {
        List<Method> all = new ArrayList<>();
        for (Class<?> one = type; one != null; one = one.getSuperclass()) {
            all.addAll(Arrays.asList(one.getDeclaredMethods()));
        }
        return all.toArray(Method[]::new);
    }
}
