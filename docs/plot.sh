#!/bin/bash
# Draws what the autoscaler did to a service as an SVG, out of the API's own series and decisions.
#   . var/env; docs/plot.sh SERVICE SECONDS >plot.svg       the last SECONDS of it
set -euo pipefail
service=$1 seconds=$2
end=$(date +%s) start=$(($(date +%s) - seconds))
get() { curl -sS --fail --cacert "$SKYLARK_CA" -H "Authorization: Token $SKYLARK_TOKEN" "$SKYLARK_URL/v1/services/$SKYLARK_NAMESPACE/$service/$1"; }

autoscaling=$(get 'autoscaling/?limit=1000')
metric=$(jq -r .settings.metric_name <<<"$autoscaling")
stat=$(jq -r .settings.metric_stat <<<"$autoscaling")
series=$(get "metrics/?metric_name=$metric&metric_stat=$stat&start_time=$start&end_time=$end&period=5")
{
    jq -r '"range \(.start_time) \(.end_time)"' <<<"$series"
    jq -r '"band \(.settings.lower_threshold) \(.settings.upper_threshold) \(.settings.maximum_num_instances) \(.target_num_instances)"' <<<"$autoscaling"
    jq -r '.points[] | select(.value != null) | "value \(.time) \(.value)"' <<<"$series"
    jq -r '.decisions | reverse | .[] | select(.num_instances_before != .num_instances_after)
        | "step \(.time | sub("\\.[0-9]+Z"; "Z") | fromdate) \(.num_instances_before) \(.num_instances_after)"' <<<"$autoscaling"
} | awk -v title="$service: $stat of $metric, and instances wanted" '
function x(t) { return 60 + (t - from) / (to - from) * 680 }
function y(v) { return 220 - v / most * 170 }              # the metric, from the bottom of the upper part
function z(n) { return 340 - n / largest * 80 }            # the count, in the lower part
function line(x1, y1, x2, y2, style) { printf "<path d=\"M%.1f %.1fL%.1f %.1f\" %s/>\n", x1, y1, x2, y2, style }
function text(px, py, s, more) { printf "<text x=\"%.1f\" y=\"%.1f\" %s>%s</text>\n", px, py, more, s }
$1 == "range" { from = $2; to = $3 }
$1 == "band" { lower = $2; upper = $3; largest = $4; wanted = $5 }
$1 == "value" { n++; at[n] = $2; v[n] = $3; if ($3 > most) most = $3 }
$1 == "step" && $2 >= from { steps++; when[steps] = $2; before[steps] = $3; after[steps] = $4 }
END {
    if (upper > most) most = upper
    if (most < 1 && upper <= 1) most = 1
    print "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 780 380\" font-family=\"sans-serif\" font-size=\"12\">"
    print "<rect width=\"780\" height=\"380\" fill=\"white\"/>"
    text(60, 24, title, "font-size=\"15\"")
    printf "<rect x=\"60\" y=\"%.1f\" width=\"680\" height=\"%.1f\" fill=\"#e8f3e8\"/>\n", y(upper), y(lower) - y(upper)
    for (i = 0; i <= 4; i++) text(52, y(most * i / 4) + 4, sprintf("%.3g", most * i / 4), "text-anchor=\"end\"")
    for (i = 0; i <= largest; i++) { text(52, z(i) + 4, i, "text-anchor=\"end\""); line(60, z(i), 740, z(i), "stroke=\"#ddd\"") }
    for (t = from - from % 60 + 60; t <= to; t += 60) {
        line(x(t), 220, x(t), 224, "stroke=\"#888\""); line(x(t), 340, x(t), 344, "stroke=\"#888\"")
        text(x(t), 358, sprintf("%d min", (t - from) / 60), "text-anchor=\"middle\"")
    }
    line(60, 50, 60, 220, "stroke=\"#888\""); line(60, 220, 740, 220, "stroke=\"#888\"")
    line(60, 260, 60, 340, "stroke=\"#888\"")
    text(744, y(upper) + 4, upper, ""); text(744, y(lower) + 4, lower, "")
    printf "<path fill=\"none\" stroke=\"#1f5fa8\" stroke-width=\"1.5\" d=\""
    for (i = 1; i <= n; i++) printf "%s%.1f %.1f", (i == 1 || at[i] - at[i - 1] > 15 ? "M" : "L"), x(at[i]), y(v[i])
    print "\"/>"
    count = steps > 0 ? before[1] : wanted
    printf "<path fill=\"none\" stroke=\"#b3401a\" stroke-width=\"2\" d=\"M60 %.1f", z(count)
    for (i = 1; i <= steps; i++) { printf "H%.1fV%.1f", x(when[i]), z(after[i]); count = after[i] }
    print "H740\"/>"
    print "</svg>"
}'
