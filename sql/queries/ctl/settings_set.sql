-- Changes the base domain to $1, the region's name to $2 and its IaaS to $3, the range of public ports to $4 (FIRST-LAST), the
-- front's address to $5 ('': none) and the operator's own host names to $6 (separated by commas); null leaves one as it is.
-- parameters: base_domain, region_name, region_iaas, service_ports, front_address, host_names
UPDATE skylark.installation
SET base_domain = COALESCE($1::text, base_domain),
    region_name = COALESCE($2::text, region_name),
    region_iaas = COALESCE($3::text, region_iaas),
    service_port_first = COALESCE(split_part($4::text, '-', 1)::integer, service_port_first),
    service_port_last = COALESCE(split_part($4::text, '-', 2)::integer, service_port_last),
    front_address = CASE WHEN $5::text IS NULL THEN front_address ELSE NULLIF($5::text, '')::inet END,
    host_names = COALESCE((SELECT array_agg(lower(btrim(n.name)) ORDER BY n.position)
                            FROM string_to_table($6::text, ',') WITH ORDINALITY AS n (name, position)), host_names)
WHERE only_row
