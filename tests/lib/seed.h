/* The create request of the seed, word for word but for the registry (printf's %s). */
#ifndef SKYLARK_TESTS_LIB_SEED_H
#define SKYLARK_TESTS_LIB_SEED_H

#define SEED_CREATE_FORMAT                                                                                                  \
    "{\n\"service_name\": \"test\",\n\"namespace\": \"madams\",\n\"image_name\": \"%s/alauda/ubuntu\",\n"              \
    "\"image_tag\": \"latest\",\n\"run_command\": \"\",\n\"instance_size\": \"XS\",\n\"scaling_mode\": \"MANUAL\",\n"  \
    "\"target_state\": \"STARTED\",\n\"custom_domain_name\": \"my-own-domain.cn\",\n\"target_num_instances\": 2,\n"    \
    "\"instance_envvars\":{\n\"POSTGRES_USER\":\"root\",\n\"POSTGRES_PASSWORD\":\"123456\",\n"                         \
    "\"PG_HOST\": \"127.0.0.1\",\n\"PG_PORT\": \"5432\",\n\"REPO_NAME\": \"pypg2\",\n"                                 \
    "\"FILENAME\": \"scale_with_db\"\n},\n\"instance_ports\":[\n{\n\"container_port\": 22,\n\"protocol\": \"tcp\",\n"  \
    "\"endpoint_type\": \"tcp-endpoint\"\n},\n{\n\"container_port\": 22,\n\"protocol\": \"tcp\",\n"                    \
    "\"endpoint_type\": \"direct-endpoint\"\n}\n],\n\"autoscaling_config\": {\n\"metric_name\" : \"CPU_UTILIZATION\",\n" \
    "\"metric_stat\" : \"MEAN\",\n\"upper_threshold\" : \"0.6\",\n\"lower_threshold\" : \"0.1\",\n"                    \
    "\"decrease_delta\" : \"1\",\n\"increase_delta\" : \"1\",\n\"minimum_num_instances\" : \"1\",\n"                   \
    "\"maximum_num_instances\" : \"6\",\n\"wait_period\" : \"30\"\n},\n\"volumes\" : [\n{\n"                           \
    "\"app_volume_dir\" : \"/data1\",\n\"volume_type\" : \"EBS\",\n\"size_gb\" : 10\n},\n{\n"                          \
    "\"app_volume_dir\" : \"/data2\",\n\"volume_type\" : \"EBS\",\n\"size_gb\" : 20\n}\n]\n}"

#endif
