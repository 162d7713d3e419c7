//! How much of the computer builds may take.

use serde::Serialize;

use crate::{
    machine::{Computer, Medium},
    nix::settings::Settings,
};

const GIB: u64 = 1 << 30;

/// A profile.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Profile {
    /// Leaves half of the cores to other programs.
    Conservative,
    /// Uses the cores once.
    #[default]
    Balanced,
    /// For a computer that only builds: as many builds at once as the memory allows.
    HighPerformance,
}

/// Builds at once, and the cores of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Jobs {
    /// `max-jobs`.
    pub jobs: u64,
    /// `cores`.
    pub cores: u64,
}

/// How `max-jobs` and `cores` suit a computer. `doctor` and `tune` both ask this, so that neither changes what the other likes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    /// They use the computer well.
    Suits,
    /// So many processes are more than the cores or the memory can run.
    TooMany(u64),
    /// One build at a time, or so few processes that half of the cores have nothing to do.
    TooFew(u64),
    /// Nothing is built.
    Nothing,
}

impl Jobs {
    /// Returns what is set, with the cores of the computer for the 0 that means all of them.
    pub fn set(settings: &Settings, computer: &Computer) -> Option<Self> {
        let cores = match settings.number("cores")? {
            // Nix knows limits of cgroups v2 alone.
            0 => computer.cores.present.get().or(computer.cores.usable.get())? as u64,
            cores => cores,
        };
        Some(Self { jobs: settings.number("max-jobs")?, cores })
    }

    /// Returns the largest number of processes.
    pub const fn processes(self) -> u64 {
        self.jobs.saturating_mul(self.cores)
    }

    /// Judges what is set, with the number of cores instead of the 0 that means all. Nothing if the computer is unknown.
    pub fn fit(self, computer: &Computer) -> Option<Fit> {
        let advised = Profile::default().jobs(computer)?;
        let cores = computer.cores.usable.get()? as u64;
        let by_memory = computer.memory.usable.get()? / Profile::HighPerformance.memory_of_a_build();
        let processes = self.processes();
        Some(if self.jobs == 0 {
            Fit::Nothing
        } else if self == advised {
            Fit::Suits
        } else if self.jobs > 1 && (processes >= MANY * cores || self.jobs > by_memory) || self.cores > MANY * cores {
            Fit::TooMany(processes)
        } else if self.jobs == 1 && advised.jobs > 1 || processes * 2 <= cores {
            Fit::TooFew(processes)
        } else {
            Fit::Suits
        })
    }
}

/// From this many processes for each core on, builds slow each other down.
const MANY: u64 = 2;

impl Profile {
    /// All profiles.
    pub const ALL: [Self; 3] = [Self::Conservative, Self::Balanced, Self::HighPerformance];

    /// Returns its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Conservative => "conservative",
            Self::Balanced => "balanced",
            Self::HighPerformance => "high-performance",
        }
    }

    /// Returns what it is for.
    pub const fn purpose(self) -> &'static str {
        match self {
            Self::Conservative => "leaves half of the cores to other programs",
            Self::Balanced => "uses every core once",
            Self::HighPerformance => "for a computer that only builds",
        }
    }

    /// Returns the memory that it allows each build.
    pub const fn memory_of_a_build(self) -> u64 {
        match self {
            Self::Conservative => 8 * GIB,
            Self::Balanced => 4 * GIB,
            Self::HighPerformance => 2 * GIB,
        }
    }

    /// Returns the builds at once and the cores of each; none if the cores or the memory are unknown.
    ///
    /// Bundlers and compilers of JavaScript use one to four cores and one to four gigabytes each, so several builds with few cores
    /// are faster than one with all.
    pub fn jobs(self, computer: &Computer) -> Option<Jobs> {
        let cores = computer.cores.usable.get()? as u64;
        let by_memory = computer.memory.usable.get()? / self.memory_of_a_build();
        let (by_cores, most, to_share) = match self {
            Self::Conservative => (cores / 4, 8, cores.div_ceil(2)),
            Self::Balanced => (cores / 2, 16, cores),
            Self::HighPerformance => (cores, 32, cores),
        };
        let jobs = by_cores.min(by_memory).clamp(1, most);
        let least = if self == Self::HighPerformance { 2.min(cores) } else { 1 };
        Some(Jobs { jobs, cores: to_share.div_ceil(jobs).max(least) })
    }

    /// Returns how many downloads run at once: `http-connections` and `max-substitution-jobs`.
    pub fn downloads(self, computer: &Computer) -> (u64, u64) {
        let cores = computer.cores.usable.get().unwrap_or(1);
        let (connections, paths) = match (self, cores) {
            (Self::Conservative, _) => (25, 16),
            (Self::HighPerformance, _) | (Self::Balanced, 17..) => (128, 64),
            (Self::Balanced, 9..) => (64, 32),
            (Self::Balanced, 3..) => (50, 32),
            (Self::Balanced, _) => (50, 16),
        };
        // Unpacking many paths at once makes the heads of a rotating disk jump.
        let rotates = computer.store.medium.get() == Some(Medium::Rotating);
        (connections, if rotates { paths.min(16) } else { paths })
    }

    /// Returns after how many days old generations go.
    pub const fn days_kept(self) -> u32 {
        match self {
            Self::Conservative => 30,
            Self::Balanced => 14,
            Self::HighPerformance => 7,
        }
    }
}
