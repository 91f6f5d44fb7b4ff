#!/bin/sh
# OpenFisca beside kangmai: the same bills, the same rules, in one run. Makes a throw-away environment, installs
# openfisca-core there (AGPL: a process that is run, no part of the product) and says the time for each and how many bills
# come out with a layer off by a fen or more against the exact result.
#
#     acceptance/peer/openfisca.sh [BILLS]          as a rule 200000; KANGMAI=path of a release build, else it is built
set -eu
cd "$(dirname "$0")/../.."
count=${1:-200000}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if [ -z "${KANGMAI:-}" ]; then
    cargo build --release -p kangmai-server
    KANGMAI=target/release/kangmai
fi
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet openfisca-core==46.0.1
python="$work/venv/bin/python"

cp -r policies "$work/policies"
cat > "$work/policies/cn/henan/zhengzhou/benefits/90-promise.toml" <<'PACK'
id = "promise"
name = { zh = "兜底", en = "promise" }
payer = { kind = "government", fund = "promise", name = { zh = "兜底资金", en = "the promise" }, national = "oth_pay" }
kind = "ceiling_on_self_pay"
date = "discharge"
round = { mode = "half_up", to = "0.01", at = "layer" }
base = { take = "remaining_compliant", over = "bill", owner = "person" }
after = ["waiver"]
applies = { fact = "label", any_of = ["registered_poor", "subsistence_allowance", "marginal"], as_of = "discharge" }
[[version]]
from = "2017-01-01"
sure = "low"
source = { doc = "acceptance/peer" }
[[version.profile]]
name = { zh = "兜底", en = "promise" }
pays_up_to = "90%"
of = "compliant"
PACK

"$python" acceptance/peer/openfisca.py make "$count" "$work/bills.csv"
start=$(date +%s.%N)
"$KANGMAI" settle --bills "$work/bills.csv" --pack "$work/policies" --out "$work/result.csv" --english
end=$(date +%s.%N)
awk -v s="$start" -v e="$end" -v n="$count" 'BEGIN {
    printf "kangmai settle: %d bills in %.2f s, %.2f s a million, reading the file and writing every layer\n", n, e - s, (e - s) / n * 1e6 }'
"$python" acceptance/peer/openfisca.py run "$work/bills.csv" "$work/result.csv"
# What the arithmetic of that takes without files, on bills of the same kinds.
cargo bench -p kangmai-policy --bench settlement -- amounts with_trace
