(() => {
  'use strict';
  for (const button of document.querySelectorAll('[data-player]')) {
    button.hidden = false;
    button.addEventListener('click', () => {
      const { player, title, link } = button.dataset;
      const frame = document.createElement('iframe');
      frame.title = title;
      frame.allow = 'autoplay; encrypted-media; picture-in-picture';
      frame.allowFullscreen = true;
      frame.referrerPolicy = 'strict-origin-when-cross-origin';
      frame.className = button.className;
      frame.src = player;
      button.replaceWith(frame);
      frame.focus();
      window.footfall?.click(link);
    });
  }

  const banner = document.getElementById('consent')?.content.querySelector('section');
  if (!banner) return;
  const choices = document.getElementById('choices');
  const counted = document.getElementById('counted');
  const words = {
    granted: 'Your visit is counted.',
    denied: 'Your visit is not counted.',
    off: 'Your browser asks not to be tracked, so your visit is not counted.',
  };
  // The tracker has run by then; where it was blocked, nothing is counted and nothing is asked.
  document.addEventListener('DOMContentLoaded', () => {
    const { footfall } = window;
    if (!footfall) return;
    // Beside the body, and above everything: out of reach of the creator's style sheet.
    const ask = () => {
      document.documentElement.append(banner);
      banner.showPopover?.();
    };
    const update = () => {
      const choice = footfall.choice();
      counted.textContent = words[choice] ?? '';
      if (choice === '') ask();
      else banner.remove();
      choices.hidden = choice === '' || choice === 'off';
    };
    choices.addEventListener('click', () => {
      ask();
      choices.hidden = true;
      banner.querySelector('button').focus();
    });
    banner.addEventListener('click', ({ target }) => {
      const answer = target.closest('[data-consent]')?.dataset.consent;
      if (!answer) return;
      footfall.consent(answer === 'yes');
      update();
      choices.focus({ preventScroll: true });
    });
    update();
  });
})();
