//! Parquet: amounts as decimals, whole numbers as 64 bits, all else as text.

use std::io::Write;
use std::sync::Arc;

use parquet::basic::{Compression, ConvertedType, LogicalType, Repetition, Type as Physical, ZstdLevel};
use parquet::column::writer::ColumnWriter;
use parquet::data_type::ByteArray;
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::Type;

use super::ExportError;
use super::profile::{ColumnProfile, Content, Field, fields, profile};
use crate::warehouse::{Cell, Relation, RowFilter, Warehouse};

/// Rows that are kept in memory until they are written: some ten MiB of the widest view.
const GROUP: usize = 16_384;

/// Digits of `decimal(18, 8)`, the most that 64 bits hold of any number.
const PRECISION: i32 = 18;

/// Decimals of an amount.
const SCALE: i32 = 8;

/// First amount of 10⁻⁸ that has a nineteenth digit.
const TOO_LARGE: u64 = 1_000_000_000_000_000_000;

/// A column of the file and the values of the group at hand, absent ones as `None`.
struct FileColumn {
    name: String,
    content: Content,
    values: Values,
}

enum Values {
    Decimal(Vec<Option<i64>>),
    Integer(Vec<Option<i64>>),
    Real(Vec<Option<f64>>),
    Text(Vec<Option<ByteArray>>),
    Bytes(Vec<Option<ByteArray>>),
}

pub(super) fn write(
    warehouse: &Warehouse,
    relation: &Relation,
    filter: &RowFilter,
    to: impl Write + Send,
) -> Result<Vec<u64>, ExportError> {
    let refused = |error: ParquetError| ExportError::Form {
        relation: relation.name.clone(),
        detail: error.to_string(),
    };
    let (profiles, _) = profile(warehouse, relation, filter)?;
    let mut columns: Vec<FileColumn> =
        fields(relation).into_iter().flat_map(|field| file_columns(field, relation, &profiles)).collect();
    let types = columns.iter().map(|column| column.type_of().map(Arc::new)).collect::<Result<_, _>>();
    let schema = types
        .and_then(|types| Type::group_type_builder(&relation.name).with_fields(types).build())
        .map_err(refused)?;
    let properties =
        WriterProperties::builder().set_compression(Compression::ZSTD(ZstdLevel::default())).build();
    let mut writer =
        SerializedFileWriter::new(to, Arc::new(schema), Arc::new(properties)).map_err(refused)?;
    let mut row = 0;
    let rows = warehouse.scan(relation, filter, |cells| {
        row += 1;
        for column in &mut columns {
            column.add(cells).map_err(|()| ExportError::TooLarge {
                relation: relation.name.clone(),
                row,
                column: column.name.clone(),
            })?;
        }
        if row.is_multiple_of(GROUP as u64) {
            write_group(&mut writer, &mut columns).map_err(refused)
        } else {
            Ok(())
        }
    })?;
    write_group(&mut writer, &mut columns).and_then(|()| writer.close().map(drop)).map_err(refused)?;
    Ok(vec![rows])
}

fn file_columns(field: Field, relation: &Relation, profiles: &[ColumnProfile]) -> Vec<FileColumn> {
    let Field { name, content } = field;
    let text = |name: String, at: usize| FileColumn {
        name,
        content: Content::Plain(at),
        values: Values::Text(Vec::new()),
    };
    let decimal = |name: String| FileColumn { name, content, values: Values::Decimal(Vec::new()) };
    match content {
        // The readable column says more than amounts, counts for example: both are needed.
        Content::Amount { readable: Some(at), .. } if profiles[at].without_twin > 0 => {
            let amount = decimal(format!("{name}_decimal"));
            vec![text(name, at), amount]
        }
        Content::Amount { .. } => vec![decimal(name)],
        Content::Plain(at) => {
            let ColumnProfile { integers, reals, texts, blobs, .. } = profiles[at];
            let declared = relation.columns[at].declared.as_str();
            let values = match (integers, reals, texts, blobs) {
                // What a table declares, so that an empty month has the columns of a full one.
                (_, 0, 0, 0) if declared == "INTEGER" || (declared.is_empty() && integers > 0) => {
                    Values::Integer(Vec::new())
                }
                (_, 1.., 0, 0) => Values::Real(Vec::new()),
                (0, 0, 0, 1..) => Values::Bytes(Vec::new()),
                _ => Values::Text(Vec::new()),
            };
            vec![FileColumn { name, content, values }]
        }
    }
}

impl FileColumn {
    fn type_of(&self) -> Result<Type, ParquetError> {
        let column = |physical| {
            Type::primitive_type_builder(&self.name, physical).with_repetition(Repetition::OPTIONAL)
        };
        match self.values {
            Values::Decimal(_) => column(Physical::INT64)
                .with_logical_type(Some(LogicalType::decimal(SCALE, PRECISION)))
                .with_converted_type(ConvertedType::DECIMAL)
                .with_precision(PRECISION)
                .with_scale(SCALE)
                .build(),
            Values::Integer(_) => column(Physical::INT64).build(),
            Values::Real(_) => column(Physical::DOUBLE).build(),
            Values::Text(_) => {
                column(Physical::BYTE_ARRAY).with_logical_type(Some(LogicalType::String)).build()
            }
            Values::Bytes(_) => column(Physical::BYTE_ARRAY).build(),
        }
    }

    /// Adds the value of a row; an error when the amount has too many digits.
    fn add(&mut self, cells: &[Cell<'_>]) -> Result<(), ()> {
        let cell = match self.content {
            Content::Plain(at) => cells[at],
            Content::Amount { exact, .. } => cells[exact],
        };
        match &mut self.values {
            Values::Decimal(values) => match cell {
                Cell::Integer(e8) if e8.unsigned_abs() >= TOO_LARGE => return Err(()),
                Cell::Integer(e8) => values.push(Some(e8)),
                Cell::Real(_) | Cell::Text(_) | Cell::Blob(_) => return Err(()),
                Cell::Null => values.push(None),
            },
            Values::Integer(values) => values.push(match cell {
                Cell::Integer(number) => Some(number),
                Cell::Null | Cell::Real(_) | Cell::Text(_) | Cell::Blob(_) => None,
            }),
            #[expect(clippy::cast_precision_loss, reason = "a ratio, which is no exact number")]
            Values::Real(values) => values.push(match cell {
                Cell::Real(number) => Some(number),
                Cell::Integer(number) => Some(number as f64),
                Cell::Null | Cell::Text(_) | Cell::Blob(_) => None,
            }),
            Values::Text(values) => values.push(match cell {
                Cell::Null => None,
                Cell::Integer(number) => Some(number.to_string().as_str().into()),
                Cell::Real(number) => Some(number.to_string().as_str().into()),
                Cell::Text(text) => Some(text.into()),
                Cell::Blob(bytes) => Some(hex::encode(bytes).as_str().into()),
            }),
            Values::Bytes(values) => values.push(match cell {
                Cell::Blob(bytes) => Some(bytes.to_vec().into()),
                Cell::Null | Cell::Integer(_) | Cell::Real(_) | Cell::Text(_) => None,
            }),
        }
        Ok(())
    }
}

/// Writes the rows at hand as a group of the file, and forgets them.
fn write_group<W: Write + Send>(
    writer: &mut SerializedFileWriter<W>,
    columns: &mut [FileColumn],
) -> Result<(), ParquetError> {
    let mut group = writer.next_row_group()?;
    for column in columns {
        let Some(mut out) = group.next_column()? else { break };
        match (&mut column.values, out.untyped()) {
            (Values::Decimal(values) | Values::Integer(values), ColumnWriter::Int64ColumnWriter(out)) => {
                let (present, levels) = split(values);
                out.write_batch(&present, Some(&levels), None)?;
            }
            (Values::Real(values), ColumnWriter::DoubleColumnWriter(out)) => {
                let (present, levels) = split(values);
                out.write_batch(&present, Some(&levels), None)?;
            }
            (Values::Text(values) | Values::Bytes(values), ColumnWriter::ByteArrayColumnWriter(out)) => {
                let (present, levels) = split(values);
                out.write_batch(&present, Some(&levels), None)?;
            }
            _ => return Err(ParquetError::General(format!("{} is of another type", column.name))),
        }
        out.close()?;
    }
    group.close().map(drop)
}

/// The values that are there, and for each row whether it has one, as Parquet wants them; the buffer is empty then.
fn split<T>(values: &mut Vec<Option<T>>) -> (Vec<T>, Vec<i16>) {
    let levels = values.iter().map(|value| i16::from(value.is_some())).collect();
    (values.drain(..).flatten().collect(), levels)
}
