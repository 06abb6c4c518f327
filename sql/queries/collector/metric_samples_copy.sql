-- Stores metric samples.
-- fields: instance_id, sampled_at, cpu_utilization, memory_utilization, network_in, network_out
-- fields: cpu_ns, memory_bytes, received_bytes, received_errors, sent_bytes, sent_errors
COPY skylark.metric_samples (instance_id, sampled_at, cpu_utilization, memory_utilization, network_in, network_out,
                             cpu_ns, memory_bytes, received_bytes, received_errors, sent_bytes, sent_errors) FROM STDIN
