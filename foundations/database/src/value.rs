//! Values that go in and come out.

use kangmai_base::{Day, DivisionCode, Fen, Id, Moment, Phone};
use uuid::Uuid;

use crate::DatabaseError;

/// A value in a statement or a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Nothing.
    Null,
    /// `boolean`
    Bool(bool),
    /// `bigint`
    Int(i64),
    /// `double precision`
    Real(f64),
    /// `text`
    Text(String),
    /// `bytea`
    Bytes(Vec<u8>),
    /// `uuid`
    Uuid(Uuid),
}

macro_rules! value_from {
    ($($type:ty, $name:ident => $value:expr;)*) => {
        $(impl From<$type> for Value {
            fn from($name: $type) -> Value {
                $value
            }
        })*
    };
}

value_from! {
    bool, value => Value::Bool(value);
    i64, value => Value::Int(value);
    i32, value => Value::Int(i64::from(value));
    u32, value => Value::Int(i64::from(value));
    f64, value => Value::Real(value);
    String, value => Value::Text(value);
    &str, value => Value::Text(value.to_owned());
    &String, value => Value::Text(value.clone());
    Vec<u8>, value => Value::Bytes(value);
    Uuid, value => Value::Uuid(value);
    Fen, value => Value::Int(value.0);
    Day, value => Value::Int(i64::from(value.0));
    Moment, value => Value::Int(value.0);
    DivisionCode, value => Value::Int(value.number().cast_signed());
    &Phone, value => Value::Text(value.as_str().to_owned());
}

impl<T> From<Id<T>> for Value {
    fn from(id: Id<T>) -> Value {
        Value::Uuid(id.uuid())
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Value {
        value.map_or(Value::Null, Into::into)
    }
}

/// One row of an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    pub(crate) values: Vec<Value>,
}

impl Row {
    /// The value in `column` (from 0) as a `T`.
    ///
    /// # Errors
    /// [`DatabaseError::WrongType`] if there is no such column or it holds something else.
    pub fn get<T: FromValue>(&self, column: usize) -> Result<T, DatabaseError> {
        self.values
            .get(column)
            .and_then(T::from_value)
            .ok_or(DatabaseError::WrongType { column, expected: std::any::type_name::<T>() })
    }

    /// The values, in order.
    pub fn values(&self) -> &[Value] {
        &self.values
    }
}

/// What a column can be read as.
pub trait FromValue: Sized {
    /// `None` if the value is no such thing.
    fn from_value(value: &Value) -> Option<Self>;
}

macro_rules! from_value {
    ($($type:ty, $pattern:pat => $result:expr;)*) => {
        $(impl FromValue for $type {
            fn from_value(value: &Value) -> Option<$type> {
                match value {
                    $pattern => $result,
                    _ => None,
                }
            }
        })*
    };
}

from_value! {
    i64, Value::Int(value) => Some(*value);
    i32, Value::Int(value) => i32::try_from(*value).ok();
    u32, Value::Int(value) => u32::try_from(*value).ok();
    usize, Value::Int(value) => usize::try_from(*value).ok();
    String, Value::Text(value) => Some(value.clone());
    Vec<u8>, Value::Bytes(value) => Some(value.clone());
    Fen, Value::Int(value) => Some(Fen(*value));
    Day, Value::Int(value) => i32::try_from(*value).ok().map(Day);
    Moment, Value::Int(value) => Some(Moment(*value));
    DivisionCode, Value::Int(value) => u64::try_from(*value).ok().and_then(DivisionCode::from_number);
    Phone, Value::Text(value) => Phone::read(value);
}

impl FromValue for Value {
    fn from_value(value: &Value) -> Option<Value> {
        Some(value.clone())
    }
}

impl FromValue for bool {
    fn from_value(value: &Value) -> Option<bool> {
        match value {
            Value::Bool(value) => Some(*value),
            Value::Int(value) => Some(*value != 0),
            _ => None,
        }
    }
}

impl FromValue for f64 {
    fn from_value(value: &Value) -> Option<f64> {
        match value {
            Value::Real(value) => Some(*value),
            #[expect(clippy::cast_precision_loss, reason = "a ratio for a chart; money is never read as f64")]
            Value::Int(value) => Some(*value as f64),
            _ => None,
        }
    }
}

impl FromValue for Uuid {
    fn from_value(value: &Value) -> Option<Uuid> {
        match value {
            Value::Uuid(value) => Some(*value),
            Value::Bytes(value) => Uuid::from_slice(value).ok(),
            _ => None,
        }
    }
}

impl<T> FromValue for Id<T> {
    fn from_value(value: &Value) -> Option<Id<T>> {
        Uuid::from_value(value).map(Id::from_uuid)
    }
}

impl<T: FromValue> FromValue for Option<T> {
    fn from_value(value: &Value) -> Option<Option<T>> {
        match value {
            Value::Null => Some(None),
            value => T::from_value(value).map(Some),
        }
    }
}

/// Values that one statement with a list takes.
pub const FIFTY: usize = 50;

/// Values in lists of fifty, for statements that take so many: few are ever prepared. The last list repeats its last value.
pub fn in_fifties<V: Clone + Into<Value>>(values: &[V]) -> impl Iterator<Item = Vec<Value>> {
    values.chunks(FIFTY).map(|values| {
        let mut list: Vec<Value> = values.iter().cloned().map(Into::into).collect();
        if let Some(last) = list.last().cloned() {
            list.resize(FIFTY, last);
        }
        list
    })
}
