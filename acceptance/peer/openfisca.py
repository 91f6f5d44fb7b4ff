"""The settlement of one Chinese county in OpenFisca, beside `kangmai settle`. Run by openfisca.sh; see there.

OpenFisca is a process that is run, no part of the product. The rules are those of policies/cn/henan and
policies/cn/henan/zhengzhou with a promise of 90 % on top: six layers, of which five are in force on any day. One bill to
a person and a year, so that accumulators over the year, which OpenFisca has no form for, do not enter.

    openfisca.py make COUNT BILLS.csv
    openfisca.py run BILLS.csv RESULT-OF-KANGMAI.csv
"""

import csv
import datetime
import random
import sys
import time

import numpy as np
from openfisca_core.entities import build_entity
from openfisca_core.periods import YEAR
from openfisca_core.simulations import SimulationBuilder
from openfisca_core.taxbenefitsystems import TaxBenefitSystem
from openfisca_core.taxscales import MarginalRateTaxScale
from openfisca_core.variables import Variable

HEAD = "结算单号,证件号码,出院日期,总费用,合规费用,机构级别,医院等级,是否转诊,人群类别,参保地,就医地".split(",")
TIERS = ["乡镇级", "县级", "市级", "省级"]
GRADES = ["一级", "二级", "三级"]
POOR, ALLOWANCE, MARGINAL, EXTREME = "建档立卡", "低保", "边缘易致贫", "特困"
LABELS = ["", POOR, ALLOWANCE, MARGINAL, EXTREME]
LAYERS = ["basic", "major", "supplementary", "assistance", "waiver", "promise"]
YEARS = [2019, 2020, 2023]


def id_number(number, birth):
    """An invented number: the serials 990 to 999 are given to nobody."""
    digits = f"4101{number // 10 % 90 + 10:02}{birth:%Y%m%d}{990 + number % 10}"
    weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]
    return digits + "10X98765432"[sum(int(d) * w for d, w in zip(digits, weights)) % 11]


def make(count, path):
    draw = random.Random(42)
    first = datetime.date(1935, 1, 1)
    with open(path, "w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(HEAD)
        for number in range(count):
            # Each combination of area, serial and birth is given once.
            birth = first + datetime.timedelta(days=number // 900 * 7 % 28_000 + number // 900 * 7 // 28_000)
            total = draw.randrange(1 << draw.randint(12, 25)) + 1_000
            year = draw.choice(YEARS)
            day = datetime.date(year, 1, 1) + datetime.timedelta(days=draw.randrange(365))
            tier = draw.randrange(4)
            grade = [0, 1, draw.randint(1, 2), draw.randint(1, 2)][tier]
            label = draw.choice(LABELS if year != 2023 else ["", ALLOWANCE, MARGINAL, EXTREME])
            fen = lambda amount: f"{amount // 100}.{amount % 100:02}"
            rows.writerow([f"B{number}", id_number(number, birth), day, fen(total), fen(total * 9 // 10), TIERS[tier],
                           GRADES[grade], draw.choice("是否"), label, "410122", "410122"])


Person = build_entity(key="person", plural="persons", label="one bill", is_person=True)


def half_up(amount):
    return np.floor(amount * 100 + 0.5) / 100


def scale(*edges):
    tiers = MarginalRateTaxScale()
    tiers.add_bracket(0, 0)
    for above, rate in edges:
        tiers.add_bracket(above, rate)
    return tiers


def variable(of, formulas):
    """A class decorator: OpenFisca asks each variable for its own attributes."""
    members = {"value_type": of, "entity": Person, "definition_period": YEAR}
    return type(formulas.__name__, (Variable,), members | {
        name: member for name, member in vars(formulas).items() if name.startswith("formula")})


def given(name, of):
    return variable(of, type(name, (), {}))


def amount(formulas):
    return variable(float, formulas)


total, compliant = given("total", float), given("compliant", float)
tier, grade, label, age = (given(name, int) for name in ["tier", "grade", "label", "age"])
referred = given("referred", bool)


def is_one_of(person, period, *names):
    return np.isin(person("label", period), [LABELS.index(name) for name in names])


@amount
class basic_deductible:
    def formula(person, period):
        tier, grade = person("tier", period), person("grade", period)
        third = grade == 2
        line = np.select([tier == 0, tier == 1, (tier == 2) & ~third, tier == 2, ~third], [200, 400, 500, 900, 600], 1500)
        return np.where(person("age", period) <= 14, line / 2, line)


@amount
class basic:
    def formula(person, period):
        tier, third = person("tier", period), person("grade", period) == 2
        which = [tier == 0, tier == 1, (tier == 2) & ~third, tier == 2, ~third]
        edge = np.select(which, [800, 1500, 3000, 4000, 4000], 7000)
        low = np.select(which, [0.70, 0.63, 0.55, 0.53, 0.53], 0.50)
        high = np.select(which, [0.90, 0.83, 0.75, 0.72, 0.72], 0.68)
        minus = np.where(~person("referred", period) & (tier >= 2), 0.20, 0)
        base, deductible = person("compliant", period), person("basic_deductible", period)
        first = np.clip(base, deductible, edge) - deductible
        rest = np.maximum(base - edge, 0)
        return np.minimum(half_up(first * (low - minus) + rest * (high - minus)), 150_000)


@amount
class major:
    def formula_2019(person, period):
        base = person("compliant", period) - person("basic", period)
        tiers = scale((5_500, 0.80), (50_000, 0.85), (100_000, 0.95))
        return half_up(tiers.calc(base)) * is_one_of(person, period, POOR, ALLOWANCE, EXTREME)

    def formula_2023(person, period):
        base = person("compliant", period) - person("basic", period)
        tilted = scale((5_500, 0.65), (100_000, 0.75)).calc(base)
        plain = np.minimum(half_up(scale((11_000, 0.60), (100_000, 0.70)).calc(base)), 400_000)
        return np.where(is_one_of(person, period, ALLOWANCE, EXTREME), half_up(tilted), plain)


@amount
class supplementary:
    def formula_2019(person, period):
        base = person("compliant", period) - person("basic", period) - person("major", period)
        tiers = scale((3_000, 0.30), (5_000, 0.40), (10_000, 0.50), (15_000, 0.80), (50_000, 0.90))
        return half_up(tiers.calc(base)) * is_one_of(person, period, POOR, ALLOWANCE, EXTREME)

    def formula_2023(person, period):
        return np.zeros(person.count)


@amount
class assistance:
    def formula_2023(person, period):
        base = person("compliant", period) - person("basic", period) - person("major", period)
        extreme, allowance = is_one_of(person, period, EXTREME), is_one_of(person, period, ALLOWANCE)
        marginal = is_one_of(person, period, MARGINAL)
        most = np.select([extreme, allowance, marginal], [np.inf, 50_000, 30_000], 0)
        deductible = np.where(marginal, 2_100, 0)
        rate = np.select([extreme | allowance, marginal], [0.70, 0.60], 0)
        return np.minimum(half_up(np.maximum(base - deductible, 0) * rate), most)


def left_after_insurance(person, period):
    layers = ["basic", "major", "supplementary", "assistance"]
    return person("compliant", period) - sum(person(layer, period) for layer in layers)


@amount
class waiver:
    def formula(person, period):
        left = left_after_insurance(person, period)
        used = np.minimum(person("basic_deductible", period), person("compliant", period))
        deductible = np.minimum(used, left)
        discount = half_up((left - deductible) * 0.10)
        whom = is_one_of(person, period, POOR) if period.start.year < 2021 else is_one_of(person, period, MARGINAL)
        return (deductible + discount) * (whom & (person("tier", period) <= 1))


@amount
class promise:
    def formula(person, period):
        left = left_after_insurance(person, period) - person("waiver", period)
        whole = person("compliant", period)
        missing = half_up(whole * 0.90) - (whole - left)
        return np.clip(missing, 0, left) * is_one_of(person, period, POOR, ALLOWANCE, MARGINAL)


VARIABLES = [total, compliant, tier, grade, label, age, referred, basic_deductible, basic, major, supplementary,
             assistance, waiver, promise]


def read_bills(path):
    years = {year: [] for year in YEARS}
    with open(path, encoding="utf-8-sig") as file:
        for row in csv.DictReader(file):
            day = datetime.date.fromisoformat(row["出院日期"])
            born = row["证件号码"][6:14]
            birth = (int(born[:4]), int(born[4:6]), int(born[6:]))
            years[day.year].append((
                row["结算单号"], float(row["总费用"]), float(row["合规费用"]), TIERS.index(row["机构级别"]),
                GRADES.index(row["医院等级"]), LABELS.index(row["人群类别"]),
                day.year - birth[0] - ((day.month, day.day) < birth[1:]), row["是否转诊"] == "是"))
    return years


def read_exact(path):
    exact = {}
    with open(path, encoding="utf-8-sig") as file:
        for row in csv.DictReader(file):
            layers = exact.setdefault(row["bill"], [0] * len(LAYERS))
            if row["layer"] in LAYERS:
                layers[LAYERS.index(row["layer"])] = int(row["paid"].replace(".", ""))
    return exact


def run(bills, result):
    system = TaxBenefitSystem([Person])
    system.add_variables(*VARIABLES)
    exact, wrong, count, seconds, by_layer, widest = read_exact(result), 0, 0, 0.0, [0] * len(LAYERS), 0
    for year, rows in read_bills(bills).items():
        columns = list(zip(*rows))
        start = time.process_time()
        simulation = SimulationBuilder().build_default_simulation(system, count=len(rows))
        for name, column in zip(["total", "compliant", "tier", "grade", "label", "age", "referred"], columns[1:]):
            simulation.set_input(name, str(year), np.array(column))
        found = [simulation.calculate(layer, str(year)) for layer in LAYERS]
        seconds += time.process_time() - start
        found = np.rint(np.array(found, dtype=np.float64) * 100).astype(np.int64).T
        off = np.abs(found - np.array([exact[number] for number in columns[0]]))
        count, wrong = count + len(rows), wrong + int((off.max(axis=1) >= 1).sum())
        by_layer = [had + int(more) for had, more in zip(by_layer, (off >= 1).sum(axis=0))]
        widest = max(widest, int(off.max()))
    print(f"openfisca: {count} bills in {seconds:.2f} s of processor time, {seconds / count * 1e6:.2f} s a million")
    print(f"openfisca: {wrong} bills ({wrong / count:.2%}) with a layer off by a fen or more, the widest by {widest} fen")
    print("openfisca: by layer " + ", ".join(f"{layer} {off}" for layer, off in zip(LAYERS, by_layer)))


if __name__ == "__main__":
    if sys.argv[1] == "make":
        make(int(sys.argv[2]), sys.argv[3])
    else:
        run(sys.argv[2], sys.argv[3])
