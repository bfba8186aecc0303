-- organisation: everyone whose devices are shown
SELECT name AS __text, slug AS __value FROM dashboard.organisation ORDER BY 1

-- site: sites of the chosen organisations, and the devices that have none
SELECT name AS __text, slug AS __value
FROM dashboard.site WHERE {{in_organisations}}
UNION
SELECT DISTINCT site_name, site
FROM dashboard.device WHERE site = '-' AND {{in_organisations}}
ORDER BY 1

-- device: devices of the chosen sites
SELECT name || ' (' || external_id || ')' AS __text, id::text AS __value
FROM dashboard.device
WHERE {{in_sites}}
ORDER BY 1

-- tracker: trackers of the chosen organisations
SELECT name || ' (' || external_id || ')' AS __text, id::text AS __value
FROM dashboard.device
WHERE kind = 'tracker' AND {{in_organisations}}
  -- where the register knows which are on animals, radios of rangers are left out
  AND (id IN (SELECT device_id FROM dashboard.deployment WHERE kind = 'animal')
       OR organisation NOT IN (SELECT d.organisation FROM dashboard.deployment e JOIN dashboard.device d ON d.id = e.device_id
                               WHERE e.kind = 'animal'))
ORDER BY 1

-- metric: what the chosen device measures
SELECT DISTINCT metric FROM dashboard.series WHERE device_id = ANY (ARRAY(SELECT id FROM dashboard.device WHERE id::text = ANY (ARRAY[${device:sqlstring}]::text[]))) ORDER BY 1
