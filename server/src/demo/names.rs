//! Invented names.

use kangmai_base::Sex;

use super::Draw;

const SURNAMES: [&str; 64] = [
    "王", "李", "张", "刘", "陈", "杨", "赵", "郭", "马", "孙", "朱", "吴", "周", "徐", "胡", "高", "宋",
    "梁", "韩", "冯", "程", "曹", "许", "邓", "肖", "田", "董", "潘", "袁", "蔡", "蒋", "余", "于", "杜",
    "叶", "魏", "苏", "吕", "丁", "任", "卢", "姚", "沈", "钟", "姜", "崔", "谭", "陆", "范", "汪", "石",
    "付", "贾", "韦", "夏", "邱", "方", "侯", "邹", "熊", "孟", "秦", "尹", "欧阳",
];
const MALE: [&str; 40] = [
    "国", "建", "军", "强", "伟", "明", "勇", "福", "生", "志", "海", "山", "仁", "波", "宁", "贵", "龙",
    "元", "全", "胜", "学", "祥", "才", "发", "武", "新", "利", "清", "飞", "彬", "富", "顺", "信", "子",
    "杰", "涛", "昌", "成", "康", "浩",
];
const FEMALE: [&str; 40] = [
    "秀", "娟", "英", "华", "慧", "巧", "美", "娜", "静", "淑", "惠", "珠", "翠", "雅", "芝", "玉", "萍",
    "红", "娥", "玲", "芬", "芳", "燕", "彩", "春", "菊", "兰", "凤", "洁", "梅", "琳", "素", "云", "莲",
    "真", "环", "雪", "荣", "爱", "妹",
];

/// A surname.
pub(super) fn surname(draw: &mut Draw) -> &'static str {
    draw.early_one_of(&SURNAMES)
}

/// A given name of one or two characters.
pub(super) fn given(draw: &mut Draw, sex: Sex) -> String {
    let characters = match sex {
        Sex::Male => &MALE,
        Sex::Female => &FEMALE,
    };
    let first = draw.one_of(characters);
    if draw.chance(780) { format!("{first}{}", draw.one_of(characters)) } else { first.to_owned() }
}
