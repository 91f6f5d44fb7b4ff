//! The columns of a register, as townships really have them.

use kangmai_sheet::{Column, Format, Schema};

/// A register of people: one row a person.
pub const REGISTER: Schema =
    Schema { key: "people.register", title_zh: "人员名册", title_en: "Register", columns: &COLUMNS };

const COLUMNS: [Column; 23] = [
    Column::new("household_number", "户编号", "Household number")
        .aliases(&["户号", "家庭编号", "户码", "家庭户编号"])
        .format(Format::Code)
        .example("H0001")
        .hint(
            "同一户的人填同一个编号，在本村内不重复；合并单元格也可以",
            "The same for all members of a household, unique in the village; merged cells will do",
        ),
    Column::new("relation", "与户主关系", "Relation to the head")
        .aliases(&["家庭关系", "与户主的关系", "户主关系", "成员关系"])
        .choices(&["户主", "配偶", "子女", "儿媳", "女婿", "孙子女", "父母", "公婆", "岳父母", "祖父母", "兄弟姐妹", "其他"])
        .example("户主"),
    Column::new("name", "姓名", "Name")
        .required()
        .aliases(&["人员姓名", "成员姓名", "居民姓名"])
        .personal()
        .example("示例甲"),
    Column::new("id_kind", "证件类型", "Kind of document")
        .aliases(&["证件类别", "证件种类"])
        .choices(&["居民身份证", "护照", "港澳台通行证", "临时编号", "无"])
        .example("居民身份证"),
    Column::new("id_number", "证件号码", "ID number")
        .aliases(&["身份证号", "身份证号码", "公民身份号码", "公民身份证号码", "身份证", "居民身份证号码", "证件号"])
        .format(Format::Code)
        .personal()
        .example("411721195001019919")
        .hint(
            "没有证件可以不填；校验码不对的也会保留并标记",
            "May be left empty; one with a wrong check character is kept and marked",
        ),
    Column::new("sex", "性别", "Sex").choices(&["男", "女"]).example("男"),
    Column::new("birth", "出生日期", "Birth date")
        .aliases(&["出生年月日", "出生年月", "生日"])
        .format(Format::Day)
        .example("1950-01-01")
        .hint("有居民身份证号码的可以不填", "May be left empty where there is a resident's ID number"),
    Column::new("ethnicity", "民族", "Ethnicity").example("汉族"),
    Column::new("home_code", "户籍地区划代码", "Code of the place of registration")
        .aliases(&["区划代码", "行政区划代码", "村代码", "户籍地代码", "行政村代码", "户籍区划代码"])
        .format(Format::Code)
        .example("411721107200")
        .hint(
            "12 位统计用区划代码；填了代码就不必再填户籍地、乡镇、村",
            "The 12-digit division code; with it, the place by name may be left out",
        ),
    Column::new("home_path", "户籍地", "Place of registration")
        .aliases(&["户籍所在地", "户籍地区划", "户口所在地"])
        .example("西平县宋集镇宋集村")
        .hint("县、乡镇、村的名称连写，“村委会”可以省略", "Names of county, township and village in one"),
    Column::new("township", "乡镇", "Township").aliases(&["乡镇街道", "所属乡镇", "乡", "镇", "乡(镇)", "乡镇(街道)"]).example("宋集镇"),
    Column::new("village", "村", "Village")
        .aliases(&["行政村", "村(社区)", "村社区", "村名", "所属村", "村委会", "村居"])
        .example("宋集村"),
    Column::new("address", "家庭住址", "Address")
        .aliases(&["详细地址", "住址", "家庭地址", "门牌"])
        .personal()
        .example("3 组 12 号"),
    Column::new("living", "现住地", "Place of living")
        .aliases(&["现居住地", "常住地", "居住地", "现居地", "现住址"])
        .example("411721001001")
        .hint("与户籍地不同才填：区划代码，或县、乡镇、村的名称", "Only if it is another: a code or names"),
    Column::new("phone", "联系电话", "Telephone")
        .aliases(&["电话", "手机", "手机号", "手机号码", "联系方式", "电话号码"])
        .format(Format::Code)
        .personal()
        .example("13900009901"),
    Column::new("enrolment", "参保状态", "Insurance")
        .aliases(&["参保情况", "医保类型", "参保类型", "医保状态", "参保险种", "医疗保险"])
        .choices(&["城乡居民", "职工", "未参保"])
        .example("城乡居民"),
    Column::new("labels", "人群类别", "Labels")
        .aliases(&["人员类别", "身份类别", "户类型", "救助类别", "监测对象类别", "人员属性", "对象类别", "户属性"])
        .example("脱贫人口、低保")
        .hint(
            "可填多个，用顿号分开：脱贫人口、脱贫不稳定、边缘易致贫、突发严重困难、低保、低保边缘、特困、孤儿、返贫致贫、因病致贫重病患者、刚性支出困难、建档立卡；一般农户填“一般户”",
            "Several with 、 between them; 一般户 for none",
        ),
    Column::new("labels_from", "认定日期", "Recognised on")
        .aliases(&["认定时间", "纳入日期", "纳入时间", "识别日期", "识别时间"])
        .format(Format::Day)
        .example("2019-12-31、2021-03-01")
        .hint("与人群类别一一对应，或只填一个", "One for each label, or one for all"),
    Column::new("labels_to", "退出日期", "Ended on")
        .aliases(&["退出时间", "终止日期", "取消日期", "风险消除日期"])
        .format(Format::Day)
        .example("")
        .hint("从这一天起不再是；仍然是的不填", "From this day on no longer; empty if it still holds"),
    Column::new("labels_source", "认定依据", "Recognised by").aliases(&["认定单位", "认定部门", "认定文号"]).example("县民政局"),
    Column::new("died", "死亡日期", "Died on").aliases(&["去世日期", "死亡时间"]).format(Format::Day),
    Column::new("annual_income", "家庭年收入", "Household income a year")
        .aliases(&["家庭年纯收入", "家庭纯收入", "家庭总收入", "年收入"])
        .format(Format::Amount)
        .example("32000.00")
        .hint("全家合计，以元为单位；不是人均", "Of the whole household, in yuan; not a head"),
    Column::new("income_year", "收入年份", "Year of the income").aliases(&["收入年度"]).format(Format::Whole).example("2025"),
];
