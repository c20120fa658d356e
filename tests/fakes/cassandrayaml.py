"""Settings files in the shape of those that Cassandra 3.11, 4.1 and 5.0 bring, in short."""

SHAPE_3_11 = """\
# Settings of a node.

cluster_name: 'Test Cluster'
num_tokens: 256
hinted_handoff_enabled: true
# max_hint_window_in_ms: 10800000
disk_failure_policy: stop

# who is asked first for who is there
seed_provider:
    # any class that implements SeedProvider and has a constructor that takes a map
    # (of texts to texts) will do.
    - class_name: org.apache.cassandra.locator.SimpleSeedProvider
      parameters:
          # addresses between commas,
          # such as "<ip1>,<ip2>"
          - seeds: "127.0.0.1"

# threads
concurrent_reads: 32
endpoint_snitch: SimpleSnitch
listen_address: localhost
server_encryption_options:
    internode_encryption: none
    # a path
    keystore: conf/.keystore
"""

SHAPE_4_1 = """\
cluster_name: 'Test Cluster'
num_tokens: 16
allocate_tokens_for_local_replication_factor: 3

seed_provider:
  # Addresses that others are known to answer at.
  - class_name: org.apache.cassandra.locator.SimpleSeedProvider
    parameters:
      # between commas, e.g. - seeds: "<ip1>,<ip2>"
      - seeds: "127.0.0.1:7000"

concurrent_reads: 32
trickle_fsync: false
endpoint_snitch: SimpleSnitch
audit_logging_options:
  enabled: false
  logger:
    - class_name: BinAuditLogger
"""

SHAPE_5_0 = """\
cluster_name: 'Test Cluster'
num_tokens: 16
hinted_handoff_enabled: true
max_hint_window: 3h
authenticator:
  class_name : AllowAllAuthenticator
#  parameters:
#    validity: 1d

seed_provider:
  # Addresses that others are known to answer at.
  - class_name: org.apache.cassandra.locator.SimpleSeedProvider
    parameters:
      # between commas
      - seeds: "127.0.0.1:7000"
        # resolve_multiple_ip_addresses_per_dns_record: "false"

memtable:
  configurations:
    skiplist:
      class_name: SkipListMemtable
    default:
      inherits: skiplist
endpoint_snitch: SimpleSnitch
storage_compatibility_mode: CASSANDRA_4
"""

SHAPES = (SHAPE_3_11, SHAPE_4_1, SHAPE_5_0)
