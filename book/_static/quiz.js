// Scores the choices of "Check yourself". Each is a <details>, which opens and answers without
// this script as well. The first choice that is opened counts; it is kept in this browser alone.
(() => {
  "use strict";

  const KEY = `quiz ${location.pathname}`;

  function load() {
    try {
      return { ...JSON.parse(localStorage.getItem(KEY)) };
    } catch {
      return {}; // storage is switched off, or holds something else
    }
  }

  function save(answers) {
    try {
      localStorage.setItem(KEY, JSON.stringify(answers));
    } catch {
      // Then the answers last as long as the page.
    }
  }

  const textOf = (element) => element.textContent.trim();

  /** The questions of the page: a text, and the choices that stand in a row below it. */
  function findQuestions() {
    const questions = [];
    for (const choice of document.querySelectorAll("details.choice")) {
      const before = choice.previousElementSibling;
      if (before.matches("details.choice")) questions.at(-1).choices.push(choice);
      else questions.push({ text: textOf(before), choices: [choice] });
    }
    return questions;
  }

  function start() {
    const questions = findQuestions();
    if (questions.length === 0) return;
    let answers = load();
    const score = document.createElement("span");
    score.setAttribute("role", "status");
    const again = document.createElement("button");
    again.type = "button";
    again.textContent = "Start again";
    const line = document.createElement("p");
    line.className = "quiz-score";
    line.append(score, " ", again);
    questions.at(-1).choices.at(-1).after(line);

    function show() {
      let answered = 0;
      let right = 0;
      for (const { text, choices } of questions) {
        for (const choice of choices) {
          const first = textOf(choice.firstElementChild) === answers[text];
          choice.classList.toggle("first", first);
          answered += first;
          right += first && choice.matches(".correct");
        }
      }
      score.textContent = `Answered ${answered} of ${questions.length}, ${right} right at the first try.`;
      line.hidden = answered === 0;
    }

    for (const { text, choices } of questions) {
      for (const choice of choices) {
        const summary = choice.firstElementChild;
        choice.open = textOf(summary) === answers[text];
        summary.addEventListener("click", () => {
          if (choices.some((each) => each.matches(".first"))) return;
          answers[text] = textOf(summary);
          save(answers);
          show();
        });
      }
    }
    again.addEventListener("click", () => {
      answers = {};
      save(answers);
      for (const { choices } of questions) for (const choice of choices) choice.open = false;
      show();
      questions[0].choices[0].firstElementChild.focus();
    });
    show();
  }

  document.addEventListener("DOMContentLoaded", start);
})();
