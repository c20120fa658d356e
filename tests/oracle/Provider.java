import java.net.URI;

import org.apache.cassandra.config.Config;
import org.apache.cassandra.config.YamlConfigurationLoader;

/** Prints, for each cassandra.yaml named, how Cassandra's own loader reads its seed provider. */
public final class Provider {
    private Provider() {}

    public static void main(String[] files) throws Exception {
        for (String file : files) {
            Config config = new YamlConfigurationLoader().loadConfig(new URI(file).toURL());
            System.out.println("read " + config.seed_provider.class_name + " "
                    + new java.util.TreeMap<>(config.seed_provider.parameters) + " " + config.num_tokens);
        }
    }
}
