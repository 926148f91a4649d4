use proptest::prelude::*;

use super::*;
use crate::FieldKind;

#[track_caller]
fn read(text: &str) -> Filter {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// The filter in the form of `Display`.
#[track_caller]
fn normal(text: &str) -> String {
    read(text).to_string()
}

#[track_caller]
fn refused(text: &str) -> (usize, String) {
    let error = text.parse::<Filter>().expect_err(text);
    (error.position(), error.expected().to_owned())
}

fn is(field: &str, operator: Operator, value: Value) -> Filter {
    Condition::new(Field::parse(field).unwrap(), operator, value).unwrap().into()
}

#[test]
fn every_operator_is_the_same_in_both_grammars() {
    for (keyword, list) in [
        ("Q(userId='x')", "Q('userId', '=', 'x')"),
        ("Q(id__eq=2)", "Q(Q('id', 'eq', 2))"),
        ("Q(id__ne=2)", "Q('id', '!=', 2)"),
        ("Q(id__lt=-2)", "Q('id', '<', -2)"),
        ("Q(id__lte=2)", "Q('id', '<=', 2)"),
        ("Q(id__gt=2)", "Q('id', 'gt', 2)"),
        ("Q(id__gte=2)", "Q('id', '>=', 2)"),
        ("Q(status__in=[1, 4])", "Q('status', 'in', [1,4,])"),
        ("Q(status__nin=[])", "Q('status', 'nin', [])"),
        ("Q(name__like='张')", "Q('name', 'like', '%张%')"),
        ("Q(name__startswith='张')", "Q('name', 'like', \"张%\")"),
        ("Q(mobile__isnull=True)", "Q('mobile', 'isnull', 1)"),
        ("Q(mobile__isnull=False)", "Q('mobile', 'isnull', 0)"),
        ("Q(isLeader=None)", "Q('isLeader', '=', 0)"),
        ("Q(department=2, status=None,)", "Q(Q('department','=',2),Q.AND,Q('status','isnull',1))"),
        (" Q ( ) ", "Q(Q(), Q.AND, Q())"),
    ] {
        assert_eq!(read(keyword), read(list), "{keyword}");
    }
}

#[test]
fn equal_conditions_have_the_same_form() {
    assert_eq!(normal("Q(mobile__isnull=1)"), "Q(Q('mobile', '=', ''))");
    assert_eq!(normal("Q(status__isnull=0)"), "Q(Q('status', '!=', None))");
    assert_eq!(normal("Q(isLeader__in=[1, None])"), "Q(Q('isLeader', 'in', [True, False]))");
    assert_eq!(normal("Q(name__in=['a'])"), "Q(Q('name', '=', 'a'))");
    assert_eq!(normal(r#"Q(name="it's\t\\ \u5f20\n")"#), r"Q(Q('name', '=', 'it\'s\t\\ 张\n'))");
}

#[test]
fn and_binds_tighter_than_or_and_parentheses_go_first() {
    let (a, b, c) = ("Q(Q('id', '=', 1))", "Q(Q('id', '=', 2))", "Q(Q('id', '=', 3))");
    let [a, b, c] = [a, b, c].map(|text| text[2..text.len() - 1].to_owned());
    let or_and = format!("Q({a}, Q.OR, Q({b}, Q.AND, {c}))");
    assert_eq!(normal(&format!("Q({a}, Q.OR, {b}, Q.AND, {c})")), or_and);
    assert_eq!(normal(&or_and), or_and);
    let and_or = format!("Q(Q({a}, Q.OR, {b}), Q.AND, {c})");
    assert_eq!(normal(&and_or), and_or);
    assert_eq!(
        normal(&format!("Q({a}, Q.AND, {b}, Q.OR, {c})")),
        format!("Q(Q({a}, Q.AND, {b}), Q.OR, {c})")
    );
    assert_eq!(normal("Q(Q(id=1, status=1), Q.OR, Q('name','=','x'))").matches("Q.AND").count(), 1);
    assert_eq!(read(&format!("Q({a}, Q.OR, Q())")), Filter::everything());
}

#[test]
fn errors_name_the_place_and_what_was_expected() {
    let value = "a value: a text in quotes, a whole number, True, False, None, or a list of those";
    for (text, position, expected) in [
        ("", 1, "Q(...)"),
        ("userId='x'", 1, "Q(...)"),
        ("Q", 2, "( after Q"),
        ("Q(", 3, "a field: id, userId, name"),
        ("Q(userid='x')", 3, "a field: id"),
        ("Q(userId__='x')", 11, "an operator: eq, ne, lt"),
        ("Q(userId__endswith='x')", 11, "an operator: eq, ne, lt"),
        ("Q(userId__like__x='x')", 11, "an operator: eq"),
        ("Q(userId 'x')", 10, "="),
        ("Q(userId=x)", 10, value),
        ("Q(userId=null)", 10, value),
        ("Q(userId=1)", 10, "a text in quotes or None for userId ="),
        ("Q(name='张三', id='1')", 17, "a whole number or None for id ="),
        ("Q(id=1.5)", 6, "a whole number between"),
        ("Q(id=9223372036854775808)", 6, "a whole number between"),
        ("Q(id=1e3)", 6, "a whole number between"),
        ("Q(id=-)", 6, "a whole number between"),
        ("Q(id=True)", 6, "a whole number or None"),
        ("Q(isLeader=2)", 12, "True, False, 1, 0 or None"),
        ("Q(isLeader__gt=0)", 13, "another operator: isLeader has no >"),
        ("Q(department__like='1')", 15, "another operator: department has no like"),
        ("Q(id__startswith='1')", 7, "another operator: id has no startswith"),
        ("Q(id__gt=None)", 10, "a whole number, not None"),
        ("Q(id__in=1)", 10, "a list such as [1, 2]"),
        ("Q(id=[1])", 6, "a whole number or None"),
        ("Q(id__in=[1, [2]])", 14, value),
        ("Q(id__in=[1 2])", 13, "] or a comma"),
        ("Q(name__isnull='')", 16, "True, False, 1 or 0"),
        ("Q(name='x)", 11, "the closing quote of the text"),
        (r"Q(name='\q')", 9, "an escape such as"),
        (r"Q(name='\ud800')", 9, "an escape such as"),
        (r"Q(name='\x00')", 8, "a text without U+0000"),
        ("Q(name='x'", 11, ") or a comma"),
        ("Q(name='x') OR 1=1", 13, "the end of the filter"),
        ("Q(name='x' OR 1=1)", 12, ") or a comma"),
        ("Q('name', '=')", 14, "a comma"),
        ("Q('name', '==', 'x')", 11, "an operator: =, !=, <"),
        ("Q('corp_id', '=', 'x')", 3, "a field: id"),
        ("Q(Q(id=1), Q(id=2))", 12, "Q.AND or Q.OR"),
        ("Q(Q(id=1), Q.XOR, Q(id=2))", 12, "Q.AND or Q.OR"),
        ("Q(Q(id=1), Q.OR)", 16, "a comma"),
        ("Q(Q(id=1), id=2)", 12, "Q.AND or Q.OR"),
        ("Q(id=1, Q(id=2))", 9, "a field: id"),
    ] {
        let (at, wanted) = refused(text);
        assert_eq!(at, position, "{text}: expected {wanted}");
        assert!(wanted.starts_with(expected), "{text}: expected {wanted}");
    }
}

#[test]
fn errors_repeat_nothing_of_the_text() {
    let error = "Q(secret_thing='13800000000')".parse::<Filter>().unwrap_err().to_string();
    assert!(error.starts_with("filter, character 3: expected a field"), "{error}");
    assert!(!error.contains("secret_thing") && !error.contains("138"), "{error}");
}

#[test]
fn size_is_bounded_in_every_direction() {
    let joined = |count: usize| format!("Q({})", vec!["Q(id=1)"; count].join(", Q.OR, "));
    assert!(joined(MAX_CONDITIONS).parse::<Filter>().is_ok());
    assert_eq!(refused(&joined(MAX_CONDITIONS + 1)), (1, "at most 256 conditions".into()));

    let nested = |levels: usize| format!("{}{}", "Q(".repeat(levels), ")".repeat(levels));
    assert_eq!(read(&nested(32)), Filter::everything());
    assert_eq!(refused(&nested(33)), (65, "at most 32 levels of Q(...)".into()));
    assert_eq!(refused(&nested(10_000)).1, "at most 32 levels of Q(...)");

    let listed = |count: usize| format!("Q(id__in=[{}])", "1,".repeat(count));
    assert!(listed(MAX_VALUES).parse::<Filter>().is_ok());
    assert_eq!(refused(&listed(MAX_VALUES + 1)).1, "at most 2000 values in all lists");
    let lists = format!("Q(Q(id__in=[{0}]), Q.AND, Q(id__in=[{0}]))", "1,".repeat(MAX_VALUES));
    assert_eq!(refused(&lists).1, "at most 2000 values in all lists");

    let long = |length: usize| format!("Q(name='{}')", "x".repeat(length));
    assert!(long(MAX_TEXT).parse::<Filter>().is_ok());
    assert_eq!(refused(&long(MAX_TEXT + 1)), (8, "a text of at most 4096 bytes".into()));
    assert_eq!(refused(&long(MAX_FILTER_TEXT)), (1, "at most 65536 bytes".into()));
}

#[test]
fn filters_built_by_hand_are_bounded_too() {
    let mut filter = is("id", Operator::Equal, Value::Integer(0));
    let mut levels = 0;
    let error = loop {
        let next = is("id", Operator::Equal, Value::Integer(levels));
        let wrapped = if levels % 2 == 0 { Filter::all([filter, next]) } else { Filter::any([filter, next]) };
        match wrapped {
            Ok(deeper) => filter = deeper,
            Err(error) => break error,
        }
        levels += 1;
        assert_eq!(read(&filter.to_string()), filter);
    };
    assert_eq!((error, levels), (InvalidFilter::TooDeep, 16));
    assert_eq!(Filter::any([]), Err(InvalidFilter::NoAlternative));
    assert_eq!(Filter::all([]), Ok(Filter::everything()));
}

fn condition() -> impl Strategy<Value = (Field, Operator, Value)> {
    let field = prop::sample::select(Field::ALL.to_vec());
    let operator = prop::sample::select(Operator::NAMES.map(|name| name.2).to_vec());
    (field, operator).prop_flat_map(|(field, operator)| {
        let one = match field.kind() {
            _ if operator == Operator::IsNull => any::<bool>().prop_map(Value::Boolean).boxed(),
            FieldKind::Text => any::<String>().prop_map(Value::Text).boxed(),
            FieldKind::Boolean => any::<bool>().prop_map(Value::Boolean).boxed(),
            FieldKind::Integer | FieldKind::Departments => any::<i64>().prop_map(Value::Integer).boxed(),
        };
        let one = prop_oneof![9 => one, 1 => Just(Value::Null)];
        let value = match operator {
            Operator::In | Operator::NotIn => prop::collection::vec(one, 0..4).prop_map(Value::List).boxed(),
            _ => one.boxed(),
        };
        (Just(field), Just(operator), value)
    })
}

fn valid_condition() -> impl Strategy<Value = (Field, Operator, Value)> {
    condition().prop_filter("it fits its field", |(field, operator, value)| {
        Condition::new(*field, *operator, value.clone()).is_ok()
    })
}

fn any_filter() -> impl Strategy<Value = Filter> {
    let leaf = prop_oneof![
        19 => valid_condition().prop_map(|(field, operator, value)| {
            Condition::new(field, operator, value).unwrap().into()
        }),
        1 => Just(Filter::everything()),
    ];
    leaf.prop_recursive(5, 40, 4, |inner| {
        let parts = prop::collection::vec(inner, 1..4);
        (parts, any::<bool>()).prop_map(|(parts, all)| {
            if all { Filter::all(parts).unwrap() } else { Filter::any(parts).unwrap() }
        })
    })
}

/// A value in Python's format; `\x` and `\U` where Rust's format differs.
fn python(value: &Value) -> String {
    match value {
        Value::Text(text) => {
            let signs = text.chars().map(|sign| match sign {
                ' '..='~' if sign != '"' && sign != '\\' => sign.to_string(),
                sign if u32::from(sign) < 0x100 => format!("\\x{:02x}", u32::from(sign)),
                sign => format!("\\U{:08x}", u32::from(sign)),
            });
            format!("\"{}\"", signs.collect::<String>())
        }
        Value::Integer(number) => number.to_string(),
        Value::Boolean(true) => "True".into(),
        Value::Boolean(false) => "False".into(),
        Value::Null => "None".into(),
        Value::List(values) => format!("[{}]", values.iter().map(python).collect::<Vec<_>>().join(",")),
    }
}

/// Pieces of filters in any order: closer to the grammar than random characters.
fn shreds() -> impl Strategy<Value = String> {
    let words = [
        "Q(", "Q", "(", ")", "[", "]", ",", ".", "=", "Q.AND", "Q.OR", "'", "\"", "\\", "\\u", "userId",
        "id", "__", "__in", "__like", "'id'", "'>='", "'张三'", "2", "-", "1.5", "True", "None", " ", "\n",
        "\0", "é", "'%'",
    ];
    prop::collection::vec(prop::sample::select(words.to_vec()), 0..30).prop_map(|words| words.concat())
}

proptest! {
    #[test]
    fn any_text_is_a_filter_or_an_error_within_it(text in prop_oneof![any::<String>(), shreds()]) {
        match text.parse::<Filter>() {
            Ok(filter) => prop_assert_eq!(filter.to_string().parse::<Filter>().unwrap(), filter),
            Err(error) => {
                prop_assert!((1..=text.chars().count() + 1).contains(&error.position()));
                prop_assert!(!error.expected().is_empty());
            }
        }
    }

    #[test]
    fn a_changed_filter_is_a_filter_or_an_error(
        filter in any_filter(), at in any::<prop::sample::Index>(), with in shreds(),
    ) {
        let text = filter.to_string();
        let cut = text.char_indices().map(|(at, _)| at).collect::<Vec<_>>()[at.index(text.chars().count())];
        for changed in [&text[..cut], &format!("{}{with}{}", &text[..cut], &text[cut..])] {
            if let Ok(filter) = changed.parse::<Filter>() {
                prop_assert_eq!(filter.to_string().parse::<Filter>().unwrap(), filter);
            }
        }
    }

    #[test]
    fn the_list_grammar_brings_every_filter_back(filter in any_filter()) {
        prop_assert_eq!(filter.to_string().parse::<Filter>().unwrap(), filter);
    }

    #[test]
    fn the_keyword_grammar_reads_what_was_written(conditions in prop::collection::vec(valid_condition(), 0..6)) {
        let keywords = conditions.iter().map(|(field, operator, value)| {
            let (_, word, _) = Operator::NAMES.into_iter().find(|name| name.2 == *operator).unwrap();
            format!("{field}__{word} = {}", python(value))
        });
        let text = format!("Q({})", keywords.collect::<Vec<_>>().join(", "));
        let built = Filter::all(conditions.into_iter().map(|(field, operator, value)| {
            Condition::new(field, operator, value).unwrap().into()
        }));
        prop_assert_eq!(text.parse::<Filter>().unwrap(), built.unwrap());
    }
}
