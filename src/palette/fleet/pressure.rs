//! [`Pressure`]: what a virtual cluster uses of what it may use.

use super::row::Measure;

/// Percent from which it is told.
const HIGH: f64 = 80.0;
/// Percent from which it is used up.
const FULL: f64 = 100.0;

/// How full something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pressure {
    /// As much as it may, or more.
    Full,
    /// More than 80 %.
    High,
    /// Less.
    Low,
    /// There is no limit, or nothing is known.
    Unknown,
}

impl Measure {
    /// Used of the limit, in percent.
    pub fn percent(&self) -> Option<f64> {
        Some(self.usage? / self.limit? * 100.0).filter(|percent| percent.is_finite())
    }

    /// How full it is.
    pub fn pressure(&self) -> Pressure {
        match self.percent() {
            Some(percent) if percent >= FULL => Pressure::Full,
            Some(percent) if percent > HIGH => Pressure::High,
            Some(_) => Pressure::Low,
            None => Pressure::Unknown,
        }
    }

    /// What one of the numbers is in cores or GiB; nothing where the unit is one that nobody knows.
    pub fn scaled(&self, number: f64) -> Option<(f64, &'static str)> {
        Some(match self.unit.to_ascii_lowercase().as_str() {
            "millicore" | "millicores" | "m" => (number / 1_000.0, "cores"),
            "core" | "cores" => (number, "cores"),
            "bytes" | "byte" | "b" => (number / (1_u64 << 30) as f64, "GiB"),
            "kib" | "ki" => (number / f64::from(1 << 20), "GiB"),
            "mib" | "mi" => (number / 1_024.0, "GiB"),
            "gib" | "gi" => (number, "GiB"),
            _ => return None,
        })
    }

    /// `1.2 of 4 cores (30 %)`, empty where nothing is known.
    pub fn line(&self) -> String {
        let scaled = |number: f64| match self.scaled(number) {
            Some((number, _)) => shown(number),
            None => shown(number),
        };
        let unit = self.scaled(0.0).map_or(self.unit.as_str(), |(_, unit)| unit);
        match (self.usage, self.limit) {
            (None, None) => String::new(),
            (Some(usage), None) => format!("{} {unit}, no limit", scaled(usage)),
            (None, Some(limit)) => format!("limit {} {unit}, use unknown", scaled(limit)),
            (Some(usage), Some(limit)) => {
                let percent = self.percent().unwrap_or_default();
                format!("{} of {} {unit} ({percent:.0} %)", scaled(usage), scaled(limit))
            }
        }
    }
}

/// With two decimals where it has some.
fn shown(number: f64) -> String {
    let text = format!("{number:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measure(usage: Option<f64>, limit: Option<f64>, unit: &str) -> Measure {
        Measure { usage, limit, request: None, unit: unit.to_owned() }
    }

    #[test]
    fn use_is_told_in_cores_and_gib_with_what_is_left() {
        for (measure, line, pressure) in [
            (measure(Some(1_200.0), Some(4_000.0), "MilliCore"), "1.2 of 4 cores (30 %)", Pressure::Low),
            (measure(Some(7_000_000.0), Some(8_388_608.0), "KiB"), "6.68 of 8 GiB (83 %)", Pressure::High),
            (measure(Some(5_000.0), Some(4_000.0), "millicore"), "5 of 4 cores (125 %)", Pressure::Full),
            (measure(Some(500.0), None, "MilliCore"), "0.5 cores, no limit", Pressure::Unknown),
            (measure(Some(9.0), Some(10.0), "Furlong"), "9 of 10 Furlong (90 %)", Pressure::High),
            (measure(None, None, ""), "", Pressure::Unknown),
        ] {
            assert_eq!((measure.line().as_str(), measure.pressure()), (line, pressure));
        }
    }
}
