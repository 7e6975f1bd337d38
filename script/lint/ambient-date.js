// A lint rule that oxlint lacks: `new Date()` and `Date()` read the clock behind the engine's back.

const noAmbientDate = {
  create(context) {
    const check = (node) => {
      if (node.callee.type !== 'Identifier' || node.callee.name !== 'Date') return;
      if (node.type === 'NewExpression' && node.arguments.length > 0) return;
      context.report({
        node,
        message: 'Engine code never reads a clock: take the time from the Clock port or an argument.',
      });
    };
    return { NewExpression: check, CallExpression: check };
  },
};

export default { meta: { name: 'carillon' }, rules: { 'no-ambient-date': noAmbientDate } };
