-- Changes the base domain to $1, the region's name to $2 and its IaaS to $3; null leaves one as it is.
UPDATE skylark.installation
SET base_domain = COALESCE($1::text, base_domain),
    region_name = COALESCE($2::text, region_name),
    region_iaas = COALESCE($3::text, region_iaas)
WHERE only_row
