//! Contents of git objects, from one `git cat-file --batch` for all of them. One process for each file would take
//! longer than all the rest.

use std::{
    collections::HashMap,
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    process::{ChildStdin, ChildStdout, Stdio},
};

use crate::{
    ending::Child,
    parallel, reading,
    repo::git::{Git, GitError},
};

/// A running `git cat-file`.
#[derive(Debug)]
pub(super) struct Objects {
    child: Child,
    questions: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Objects {
    /// Starts the process. Contents are as stored in the repository.
    pub(super) fn start(git: &Git) -> Result<Self, GitError> {
        let mut command = git.command(&["cat-file", "--batch"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = Child::spawn(&mut command).map_err(GitError::Start)?;
        let answers = child.stdout.take().map(BufReader::new).ok_or(GitError::Answer("cat-file"))?;
        Ok(Self { questions: child.stdin.take(), answers, child })
    }

    /// Returns the content of an object, or `None` if it is missing.
    pub(super) fn content(&mut self, question: &str) -> Result<Option<Vec<u8>>, GitError> {
        self.ask(question).map_err(GitError::Start)?;
        self.answer()
    }

    /// Returns the contents of many objects by name, without those that are missing. It does not wait for each answer
    /// before the next question.
    pub(super) fn contents(&mut self, questions: &[String]) -> Result<HashMap<String, Vec<u8>>, GitError> {
        let mut pipe = self.questions.take();
        let (written, answers) = parallel::both(
            // Git stops reading questions while its output is not read, so both happen at once.
            move || -> io::Result<Option<ChildStdin>> {
                if let Some(pipe) = &mut pipe {
                    let lines: String = questions.iter().flat_map(|question| [question.as_str(), "\n"]).collect();
                    pipe.write_all(lines.as_bytes())?;
                }
                Ok(pipe)
            },
            || questions.iter().map(|_| self.answer()).collect::<Result<Vec<_>, _>>(),
        );
        let answers = answers?;
        self.questions = written.map_err(GitError::Start)?;
        let found = questions.iter().zip(answers).filter_map(|(question, content)| Some((question.clone(), content?)));
        Ok(found.collect())
    }

    fn ask(&mut self, question: &str) -> io::Result<()> {
        let questions = self.questions.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        questions.write_all(format!("{question}\n").as_bytes())
    }

    /// Reads an answer: `<object> <type> <size>`, the content and a line break; or a line that ends in `missing`.
    fn answer(&mut self) -> Result<Option<Vec<u8>>, GitError> {
        let mut line = String::new();
        self.answers.read_line(&mut line).map_err(GitError::Start)?;
        let line = line.trim_end_matches('\n');
        if line.ends_with(" missing") {
            return Ok(None);
        }
        let size =
            line.rsplit(' ').next().and_then(|size| size.parse::<u64>().ok()).ok_or(GitError::Answer("cat-file"))?;
        if size > reading::MOST {
            // The rest of the answer is in the pipe, so this process is of no use.
            self.questions = None;
            self.child.kill();
            return Err(GitError::TooLarge { object: line.split(' ').next().unwrap_or_default().to_owned() });
        }
        let mut content = vec![0; usize::try_from(size).unwrap_or_default()];
        let mut end = [0];
        self.answers.read_exact(&mut content).map_err(GitError::Start)?;
        self.answers.read_exact(&mut end).map_err(GitError::Start)?;
        Ok(Some(content))
    }
}

impl Drop for Objects {
    fn drop(&mut self) {
        // The process ends with its input. Its later output does not matter.
        drop(self.questions.take());
        let _ = self.child.wait();
    }
}
