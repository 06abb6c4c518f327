-- Stores metric samples.
COPY skylark.metric_samples (instance_id, sampled_at, cpu_utilization, memory_utilization, network_in, network_out) FROM STDIN
